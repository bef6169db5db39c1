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
/// more often.
pub fn exp_f32(x: f32) -> f32 {
    libm::exp(x.into()) as f32
}

/// The natural logarithm of `x`, worked out in 64 bits; see [`exp_f32`].
pub fn ln_f32(x: f32) -> f32 {
    libm::log(x.into()) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

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
