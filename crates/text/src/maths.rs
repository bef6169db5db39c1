//! Exponential function and logarithm, the same on every machine.
//!
//! `f32::exp` and its kin of std call the C library of the platform, whose last bit differs from one to the next and
//! with the instructions of the processor. A last bit decides where a value is compared with a threshold that was
//! learned from such values: with another C library one development page in ten was cut elsewhere.
//! These are compiled in, and use nothing but additions and multiplications, which IEEE 754 prescribes to the bit.

/// e to the power of `x`; off by less than one unit in the last place.
pub fn exp(x: f64) -> f64 {
    libm::exp(x)
}

/// The natural logarithm of `x`; off by less than one unit in the last place.
pub fn ln(x: f64) -> f64 {
    libm::log(x)
}

/// e to the power of `x`, worked out in 64 bits: the nearest number, but for about one value in a hundred million.
///
/// So are nearly all values of the C library that the bundled models were learned with; `libm::expf` differs from it
/// more often, and `libm::exp` takes three times as long.
pub fn exp_f32(x: f32) -> f32 {
    let x = f64::from(x);
    // Beyond these, and for what is no number, the result has no exponent of its own.
    if !(-87.0..88.0).contains(&x) {
        return libm::exp(x) as f32;
    }
    // x is the nearest multiple of a sixteenth of ln 2, which a table and the exponent answer, and a small rest.
    let sixteenths = (x * SIXTEENTHS + ROUND) - ROUND;
    let rest = (x - sixteenths * HIGH) - sixteenths * LOW;
    let series = [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0];
    let of_rest = series.into_iter().fold(0.0, |sum, term| sum * rest + term);
    let sixteenths = sixteenths as i32;
    let exponent = (i64::from(sixteenths >> 4) << 52).cast_unsigned();
    (f64::from_bits(POWERS[sixteenths as usize & 15].wrapping_add(exponent)) * of_rest) as f32
}

/// 16 / ln 2.
const SIXTEENTHS: f64 = 16.0 * std::f64::consts::LOG2_E;
/// Added and taken away again, this leaves a whole number: 1.5 times 2 to the power of 52.
const ROUND: f64 = 6_755_399_441_055_744.0;
/// A sixteenth of ln 2 in two parts, of which the first times a whole number below a million is exact.
const HIGH: f64 = f64::from_bits(0x3FA6_2E42_0000_0000);
const LOW: f64 = f64::from_bits(0x3E5F_DF47_3DE6_AF28);
/// 2 to the power of each sixteenth below 1, as bits.
const POWERS: [u64; 16] = [
    0x3FF0_0000_0000_0000,
    0x3FF0_B558_6CF9_890F,
    0x3FF1_72B8_3C7D_517B,
    0x3FF2_387A_6E75_6238,
    0x3FF3_06FE_0A31_B715,
    0x3FF3_DEA6_4C12_3422,
    0x3FF4_BFDA_D536_2A27,
    0x3FF5_AB07_DD48_5429,
    0x3FF6_A09E_667F_3BCD,
    0x3FF7_A114_73EB_0187,
    0x3FF8_ACE5_422A_A0DB,
    0x3FF9_C491_82A3_F090,
    0x3FFA_E89F_995A_D3AD,
    0x3FFC_199B_DD85_529C,
    0x3FFD_5818_DCFB_A487,
    0x3FFE_A4AF_A2A4_90DA,
];

/// e to the power of each value, off by two units in the last place at most; what lies beyond -87 and 88 is taken for these.
///
/// Nothing is looked up and nothing branches, so a compiler works out as many side by side as a register holds: a quarter
/// of the instructions of [`exp_f32`].
pub fn exp_each(values: &mut [f32]) {
    /// 1.5 times 2 to the power of 23: see [`ROUND`].
    const ROUND: f32 = 12_582_912.0;
    /// ln 2 in two parts, of which the first times a whole number below 2^14 is exact.
    const HIGH: f32 = 0.693_359_4;
    const LOW: f32 = -0.000_212_194_44;
    const SERIES: [f32; 8] = [1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0];
    for value in values {
        let x = value.clamp(-87.0, 88.0);
        let rounded = x * std::f32::consts::LOG2_E + ROUND;
        let power = rounded - ROUND;
        let rest = (x - power * HIGH) - power * LOW;
        let of_rest = SERIES.into_iter().fold(0.0, |sum, term| sum * rest + term);
        // The whole number stands in the lower bits of what was rounded, and moves to where the exponent is.
        *value = f32::from_bits(of_rest.to_bits().wrapping_add(rounded.to_bits() << 23));
    }
}

/// The natural logarithm of `x`, worked out in 64 bits; see [`exp_f32`].
pub fn ln_f32(x: f32) -> f32 {
    libm::log(x.into()) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_is_the_nearest_number() {
        for at in -200_000..200_000 {
            let x = at as f32 * 0.000_437_5;
            assert_eq!(exp_f32(x).to_bits(), (libm::exp(x.into()) as f32).to_bits(), "{x}");
        }
        assert!(exp_f32(f32::NAN).is_nan());
        assert_eq!((exp_f32(0.0), exp_f32(-0.0)), (1.0, 1.0));
    }

    #[test]
    fn powers_side_by_side_are_nearly_the_nearest_numbers() {
        let exponents: Vec<f32> = (-200_000..200_000).map(|at| at as f32 * 0.000_434).collect();
        let mut powers = exponents.clone();
        exp_each(&mut powers);
        for (x, power) in exponents.into_iter().zip(powers) {
            let nearest = exp_f32(x);
            assert!(power.to_bits().abs_diff(nearest.to_bits()) <= 2, "{x}: {power} {nearest}");
        }
        let mut beyond = [-1000.0, 0.0, 1000.0, f32::NEG_INFINITY];
        exp_each(&mut beyond);
        assert!(beyond[0] > 0.0 && beyond[0] < 2e-38 && beyond[2] > 1e38 && beyond[2].is_finite());
        assert_eq!((beyond[1].to_bits(), beyond[3].to_bits()), (1.0_f32.to_bits(), beyond[0].to_bits()));
    }

    #[test]
    fn values_are_these_bits_everywhere() {
        // Nearest numbers, from a table of logarithms to twenty digits.
        for (x, bits) in [(2.0, 0x3F31_7218), (3.0, 0x3F8C_9F54), (10.0, 0x4013_5D8E), (1e6, 0x415D_0C55)] {
            assert_eq!(ln_f32(x).to_bits(), bits, "{x}");
        }
        for (x, bits) in [(1.0, 0x402D_F854), (-1.0, 0x3EBC_5AB2), (10.0, 0x46AC_14EE), (-40.0, 0x229C_BC92)]
        {
            assert_eq!(exp_f32(x).to_bits(), bits, "{x}");
        }
        assert_eq!(ln(2.0).to_bits(), 0x3FE6_2E42_FEFA_39EF);
        assert_eq!(exp(1.0).to_bits(), 0x4005_BF0A_8B14_576A);
        assert_eq!((exp_f32(200.0), exp_f32(-200.0), ln_f32(0.0)), (f32::INFINITY, 0.0, f32::NEG_INFINITY));
    }
}
