//! How a measure is spread, with its limits.

use tamis_stage::Sketch;
use tamis_text::maths::ln;

use crate::flow::escaped;
use crate::numbers::{count, value};

/// So many bars, at most.
const BARS: usize = 40;
const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 96.0;
/// Values that reach so many times beyond the middle one are drawn on a logarithmic scale, or all others would be one
/// bar.
const LONG_TAIL: f64 = 30.0;

/// A limit that is drawn in: its name and where it is.
pub(crate) struct Line {
    pub(crate) option: String,
    pub(crate) at: f64,
}

/// The scale of the values.
#[derive(Clone, Copy)]
struct Scale {
    from: f64,
    to: f64,
    is_logarithmic: bool,
}

impl Scale {
    /// One that shows every value and every limit.
    fn of(sketch: &Sketch, lines: &[Line]) -> Option<Self> {
        let (least, middle, most) = (sketch.quantile(0.0)?, sketch.quantile(0.5)?, sketch.quantile(1.0)?);
        let is_logarithmic = least >= 0.0 && most > 1.0 && most > LONG_TAIL * middle.max(most / 1e6);
        let all = || lines.iter().map(|line| line.at).filter(|at| at.is_finite()).chain([least, most]);
        let (from, to) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
        let (from, to) = if to > from { (from, to) } else { around(from) };
        Some(Self { from, to, is_logarithmic: is_logarithmic && from >= 0.0 })
    }

    fn place(self, value: f64) -> f64 {
        let bent = |value: f64| if self.is_logarithmic { ln(1.0 + value) } else { value };
        let (from, to) = (bent(self.from), bent(self.to));
        ((bent(value) - from) / (to - from)).clamp(0.0, 1.0)
    }
}

/// A scale for one value. It begins at 0, because most measures have no values below: an axis from −0.5 would say that
/// there are.
fn around(value: f64) -> (f64, f64) {
    if value == 0.0 { (0.0, 1.0) } else { (f64::min(0.0, 2.0 * value), f64::max(0.0, 2.0 * value)) }
}

/// The picture as SVG; `None` if nothing was measured.
pub(crate) fn draw(name: &str, sketch: &Sketch, lines: &[Line]) -> Option<String> {
    let scale = Scale::of(sketch, lines)?;
    let mut bars = [0_u64; BARS];
    for (at, n) in sketch.values() {
        bars[((scale.place(at) * BARS as f64) as usize).min(BARS - 1)] += n;
    }
    let most = bars.iter().copied().max().unwrap_or(1).max(1);
    let step = WIDTH / BARS as f64;
    let mut drawn = String::new();
    for (index, n) in bars.iter().enumerate().filter(|(_, n)| **n > 0) {
        // One record among millions is still seen.
        let height = (HEIGHT * *n as f64 / most as f64).max(1.5);
        drawn += &format!(
            r#"<rect class="bar" x="{:.1}" y="{:.1}" width="{:.1}" height="{height:.1}"><title>{} records</title></rect>"#,
            step * index as f64 + 0.5,
            HEIGHT - height,
            step - 1.0,
            count(*n)
        );
    }
    for line in lines.iter().filter(|line| line.at.is_finite()) {
        let x = scale.place(line.at) * WIDTH;
        let anchor = if x > WIDTH / 2.0 { "end" } else { "start" };
        drawn += &format!(
            r#"<line class="limit" x1="{x:.1}" x2="{x:.1}" y1="-14" y2="{HEIGHT}"/><text class="limit" x="{:.1}" y="-5" text-anchor="{anchor}">{} {}</text>"#,
            if anchor == "end" { x - 4.0 } else { x + 4.0 },
            escaped(&line.option),
            value(line.at)
        );
    }
    let scale_name = if scale.is_logarithmic { ", logarithmic scale" } else { "" };
    Some(format!(
        r#"<svg class="histogram" viewBox="0 -20 {WIDTH} {}" role="img" aria-label="{}">{drawn}<line class="axis" x1="0" x2="{WIDTH}" y1="{HEIGHT}" y2="{HEIGHT}"/><text class="axis" x="0" y="{}">{}</text><text class="axis" x="{WIDTH}" y="{}" text-anchor="end">{}{}</text></svg>"#,
        HEIGHT + 38.0,
        escaped(&format!("how {name} is spread over {} records{scale_name}", sketch.n())),
        HEIGHT + 14.0,
        value(scale.from),
        HEIGHT + 14.0,
        value(scale.to),
        if scale.is_logarithmic { " (log)" } else { "" },
    ))
}
