//! Check digits and ranges: what tells a number that means somebody from any other.

/// What the digits of an identity card count.
const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

/// Whether 18 characters are a Chinese identity card (GB 11643): a province, a date of birth that exists, and a check
/// character.
pub(super) fn is_id_card(number: &str) -> bool {
    let bytes = number.as_bytes();
    if bytes.len() != 18 || !bytes[..17].iter().all(u8::is_ascii_digit) {
        return false;
    }
    let digit = |at: usize| u32::from(bytes[at] - b'0');
    let number = |from: usize, to: usize| (from..to).fold(0, |sum, at| sum * 10 + digit(at));
    let (province, year, month, day) = (number(0, 2), number(6, 10), number(10, 12), number(12, 14));
    let is_province =
        matches!(province, 11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81 | 82 | 83);
    let days = match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    let sum: u32 = WEIGHTS.iter().enumerate().map(|(at, weight)| weight * digit(at)).sum();
    let check = b"10X98765432"[(sum % 11) as usize];
    is_province
        && (1900..=2100).contains(&year)
        && (1..=days).contains(&day)
        && bytes[17].to_ascii_uppercase() == check
}

/// Whether 18 characters are a unified social credit code (GB 32100), by their check character.
pub(super) fn is_social_credit(code: &str) -> bool {
    const ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    let values: Option<Vec<usize>> = code.chars().map(|c| ALPHABET.find(c.to_ascii_uppercase())).collect();
    let Some(values) = values.filter(|values| values.len() == 18) else { return false };
    let mut weight = 1;
    let mut sum = 0;
    for value in values.iter().take(17) {
        sum += value * weight;
        weight = weight * 3 % 31;
    }
    (31 - sum % 31) % 31 == values[17]
}

/// Whether digits are a number of a Chinese mobile telephone: the ranges that the ministry has given out.
pub(super) fn is_mobile(digits: &str) -> bool {
    let bytes = digits.as_bytes();
    if bytes.len() != 11 || bytes[0] != b'1' {
        return false;
    }
    match bytes[1] {
        b'3' | b'8' => true,
        b'4' => matches!(bytes[2], b'5'..=b'9'),
        b'5' | b'9' => bytes[2] != b'4',
        b'6' => matches!(bytes[2], b'2' | b'5'..=b'7'),
        b'7' => matches!(bytes[2], b'0'..=b'8'),
        _ => false,
    }
}

/// Whether digits are a payment card: the beginning of an issuer, the length that goes with it, and Luhn's check digit.
pub(super) fn is_bank_card(digits: &str) -> bool {
    let two = digits.get(..2).and_then(|two| two.parse::<u32>().ok()).unwrap_or(0);
    let length_fits = match two {
        62 => (16..=19).contains(&digits.len()),
        40..=49 | 51..=55 | 22..=27 => digits.len() == 16,
        34 | 37 => digits.len() == 15,
        _ => false,
    };
    length_fits && digits.bytes().any(|digit| digit != digits.as_bytes()[0]) && luhn(digits)
}

fn luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(at, byte)| {
            let digit = u32::from(byte - b'0');
            if at % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Whether four numbers are an address that anybody on the internet can have.
pub(super) fn is_public_ip(parts: [u8; 4]) -> bool {
    !matches!(
        parts,
        [0 | 10 | 127 | 224..=255, ..]
            | [100, 64..=127, ..]
            | [169, 254, ..]
            | [172, 16..=31, ..]
            | [192, 168, ..]
            | [192, 0, 0 | 2, _]
            | [198, 18 | 19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_decide() {
        // Made up, with the check digit worked out.
        assert!(is_id_card("11010519491231002X") && is_id_card("11010519491231002x"));
        assert!(!is_id_card("110105194912310021") && !is_id_card("110105194913310023"));
        assert!(is_bank_card("4111111111111111") && is_bank_card("378282246310005"));
        assert!(!is_bank_card("4111111111111112") && !is_bank_card("1234567812345670"));
        assert!(is_social_credit("91350100M000100Y43") && !is_social_credit("91350100M000100Y44"));
    }

    #[test]
    fn ranges_decide() {
        assert!(is_mobile("13800138000") && is_mobile("19912345678"));
        assert!(!is_mobile("12800138000") && !is_mobile("15400138000") && !is_mobile("1380013800"));
        assert!(
            is_public_ip([8, 8, 8, 8]) && !is_public_ip([192, 168, 1, 1]) && !is_public_ip([172, 20, 0, 1])
        );
    }
}
