//! A binary logarithm that gives the same bits on every machine: policies must not depend on a maths library.

use std::sync::LazyLock;

/// log2 of 1024..2048 in 1/65536, less 10.
static MANTISSA: LazyLock<Vec<u64>> = LazyLock::new(|| (1024..2048).map(slow).collect());

/// log2(x) in 1/65536, truncated to eleven leading bits of x; 0 for x = 0.
pub(crate) fn log2(x: u64) -> u64 {
    if x < 2 {
        return 0;
    }
    let exponent = u64::from(x.ilog2());
    let mantissa = if exponent >= 10 { x >> (exponent - 10) } else { x << (10 - exponent) };
    let index = usize::try_from(mantissa - 1024).expect("below 1024");
    (exponent << 16) + MANTISSA[index]
}

/// Fractional part of log2(m / 1024) by repeated squaring, in 1/65536.
fn slow(m: u64) -> u64 {
    let (mut y, mut bits) = (m << 20, 0);
    for _ in 0..16 {
        // y is in [1, 2) with 30 fractional bits.
        let square = (u128::from(y) * u128::from(y)) >> 30;
        y = u64::try_from(square).expect("below 4 with 30 fractional bits");
        bits <<= 1;
        if y >> 31 != 0 {
            bits |= 1;
            y >>= 1;
        }
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::log2;

    #[test]
    fn agrees_with_the_mathematical_function() {
        assert_eq!(log2(1 << 20), 20 << 16);
        for (x, expected) in [(3_u64, 1.584_962_5), (1_000_000, 19.931_568), (1025, 10.001_408)] {
            let got = f64::from(u32::try_from(log2(x)).expect("small")) / 65536.0;
            assert!((got - expected).abs() < 2e-3, "log2({x}) = {got}");
        }
    }
}
