//! Viridis on a fixed scale: perceptually even, readable in grey and with every common colour vision deficiency.
//!
//! 33 anchors of the map by Smith & van der Walt (matplotlib, CC0), linear in between: within 2/255 of the
//! original 256 entries.

const VIRIDIS: [u32; 33] = [
    0x440154, 0x470d60, 0x48186a, 0x482374, 0x472d7b, 0x453681, 0x424086, 0x3f4989, 0x3b528b, 0x375a8d,
    0x33638d, 0x2f6a8e, 0x2c728e, 0x297a8e, 0x26818e, 0x23898e, 0x21908c, 0x1f988b, 0x1f9f88, 0x21a685,
    0x28ae80, 0x31b57b, 0x3ebc74, 0x4cc26c, 0x5dc963, 0x6ece58, 0x82d34c, 0x96d83f, 0xabdc32, 0xc0df24,
    0xd5e21a, 0xeae51a, 0xfde725,
];

/// The colour of a value on the scale 0 to 1, as `#rrggbb`. Values outside take the colour of the nearer end.
pub(crate) fn viridis(value: f64) -> String {
    let last = VIRIDIS.len() - 1;
    let at = if value.is_finite() { value.clamp(0.0, 1.0) } else { 0.0 } * last as f64;
    let k = (at as usize).min(last - 1);
    let part = at - k as f64;
    let channel = |shift: u32| {
        let (a, b) = ((VIRIDIS[k] >> shift) & 0xff, (VIRIDIS[k + 1] >> shift) & 0xff);
        (f64::from(a) + part * (f64::from(b) - f64::from(a))).round() as u32
    };
    format!("#{:02x}{:02x}{:02x}", channel(16), channel(8), channel(0))
}

/// Okabe and Ito's colours without black, then three that stay apart from them in lightness; the page has the same.
const CLASSES: [&str; 10] = [
    "#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#cc79a7", "#8f6b1d", "#8a8f98", "#6a4fc4",
    "#a9b400",
];

/// The colour of a class.
pub(crate) fn class_colour(class: usize) -> &'static str {
    CLASSES[class % CLASSES.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_and_the_middle_are_viridis() {
        assert_eq!(viridis(0.0), "#440154");
        assert_eq!(viridis(1.0), "#fde725");
        assert_eq!(viridis(0.5), "#21908c");
        assert_eq!(viridis(-3.0), viridis(0.0));
        assert_eq!(viridis(2.0), viridis(1.0));
    }
}
