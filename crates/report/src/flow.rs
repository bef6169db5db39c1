//! The flow of the records through the stages: a stem that gets thinner, and a branch for what each takes away.

use crate::numbers::{count, share};

/// A stage of the flow.
pub(crate) struct Step<'a> {
    pub(crate) name: &'a str,
    pub(crate) seen: u64,
    pub(crate) dropped: u64,
    pub(crate) failed: u64,
}

/// How wide the stem is when all records are in it, and the picture, in units of the drawing.
const STEM: f64 = 180.0;
const WIDTH: f64 = 470.0;
/// From one stage to the next.
const STEP: f64 = 46.0;
/// Where branches end and their labels begin.
const END: f64 = 250.0;
/// A branch is never thinner, or nobody would see it, nor thicker than there is room for.
const BRANCH: (f64, f64) = (1.5, 26.0);

/// The picture as SVG; nothing without stages. `split` documents came into being on the way, so that the stem may also
/// become wider.
pub(crate) fn draw(steps: &[Step<'_>], kept: u64) -> String {
    let most = steps.iter().map(|step| step.seen).chain([kept, 1]).max().unwrap_or(1);
    let width = |n: u64| STEM * n as f64 / most as f64;
    let height = STEP * (steps.len() as f64 + 1.0) + 10.0;
    let mut drawn = String::new();
    let mut told = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let y = STEP * index as f64;
        let next = steps.get(index + 1).map_or(kept, |next| next.seen);
        drawn += &stem(y, width(step.seen), width(next));
        let mut left = width(step.seen);
        for (n, class) in [(step.failed, "failed"), (step.dropped, "dropped")] {
            if n > 0 {
                let at = if class == "failed" { 34.0 } else { 14.0 };
                drawn += &branch((y, at), (left, width(n)), class, n, step.seen);
                left -= width(n);
            }
        }
        drawn += &format!(
            r#"<text class="stage" x="10" y="{:.1}">{}</text><text class="n" x="{:.1}" y="{:.1}">{}</text>"#,
            y + 20.0,
            escaped(step.name),
            WIDTH,
            y + 20.0,
            count(step.seen)
        );
        told.push(format!(
            "{}: {} in, {} dropped, {} failed",
            step.name, step.seen, step.dropped, step.failed
        ));
    }
    let y = STEP * steps.len() as f64;
    drawn += &format!(
        r#"<rect class="stem" x="0" y="{y:.1}" width="{:.1}" height="30" rx="2"/><text class="stage" x="10" y="{:.1}">kept</text><text class="n" x="{WIDTH:.1}" y="{:.1}">{}</text>"#,
        width(kept).max(1.0),
        y + 20.0,
        y + 20.0,
        count(kept)
    );
    told.push(format!("kept: {kept}"));
    format!(
        r#"<svg class="flow" viewBox="0 0 {WIDTH} {height:.0}" role="img" aria-label="{}">{drawn}</svg>"#,
        escaped(&told.join("; "))
    )
}

/// The stem from one stage to the next.
fn stem(y: f64, from: f64, to: f64) -> String {
    let (from, to) = (from.max(1.0), to.max(1.0));
    let (bend, end) = (y + 30.0, y + STEP);
    format!(
        r#"<path class="stem" d="M0 {y:.1}H{from:.1}V{bend:.1}C{from:.1} {end:.1} {to:.1} {bend:.1} {to:.1} {end:.1}H0Z"/>"#
    )
}

/// What a stage takes away, from the right side of the stem, where it begins at `y`, to its label, `at` below.
fn branch((y, at): (f64, f64), (right, width): (f64, f64), class: &str, n: u64, seen: u64) -> String {
    let thick = width.clamp(BRANCH.0, BRANCH.1);
    let (top, bottom) = (y + at - thick / 2.0, y + at + thick / 2.0);
    let left = (right - thick).max(0.0);
    let bend = f64::midpoint(right, END);
    format!(
        r#"<path class="{class}" d="M{right:.1} {y:.1}C{right:.1} {top:.1} {right:.1} {top:.1} {bend:.1} {top:.1}H{END}V{bottom:.1}H{bend:.1}C{left:.1} {bottom:.1} {left:.1} {bottom:.1} {left:.1} {y:.1}Z"/><text class="{class}" x="{:.1}" y="{:.1}">{} {class} ({})</text>"#,
        END + 8.0,
        y + at + 4.5,
        count(n),
        share(n, seen)
    )
}

/// Text in SVG, and in its attributes.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
