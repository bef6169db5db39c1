//! Finds the least value of a smooth convex function: L-BFGS (J. Nocedal, Math. Comp. 35, 1980).

use std::collections::VecDeque;

/// So many steps are remembered.
const MEMORY: usize = 8;
/// A step must bring this share of what the slope promises (Armijo's condition).
const SUFFICIENT: f64 = 1e-4;
/// When a step brings less than this share of the value, the end is reached.
const TOLERANCE: f64 = 1e-6;

/// A step taken: how the point and the slope changed, and one over their product.
struct Step {
    point: Vec<f64>,
    slope: Vec<f64>,
    inverse: f64,
}

/// The point with the least value, from `start` on; `function` returns value and slope.
pub(super) fn minimise(
    start: Vec<f64>,
    max_iterations: usize,
    function: impl Fn(&[f64]) -> (f64, Vec<f64>),
) -> Vec<f64> {
    let mut point = start;
    let (mut value, mut slope) = function(&point);
    let mut steps: VecDeque<Step> = VecDeque::new();
    for iteration in 0..max_iterations {
        let direction = direction(&slope, &steps);
        let descent = dot(&direction, &slope);
        let length = dot(&slope, &slope).sqrt().max(1e-12);
        let mut size = if iteration == 0 { 1.0 / length } else { 1.0 };
        let found = loop {
            let next: Vec<f64> = point.iter().zip(&direction).map(|(at, way)| at + size * way).collect();
            let (next_value, next_slope) = function(&next);
            if next_value <= value + SUFFICIENT * size * descent {
                break Some((next, next_value, next_slope));
            }
            size *= 0.5;
            if size < 1e-8 {
                break None;
            }
        };
        let Some((next, next_value, next_slope)) = found else { break };
        remember(&mut steps, difference(&next, &point), difference(&next_slope, &slope));
        let gain = (value - next_value) / value.abs().max(1e-12);
        (point, value, slope) = (next, next_value, next_slope);
        if gain < TOLERANCE {
            break;
        }
    }
    point
}

fn remember(steps: &mut VecDeque<Step>, point: Vec<f64>, slope: Vec<f64>) {
    let product = dot(&point, &slope);
    // Rounding may lose the curvature of a tiny step.
    if product > 1e-14 {
        steps.push_back(Step { point, slope, inverse: 1.0 / product });
        if steps.len() > MEMORY {
            steps.pop_front();
        }
    }
}

/// Minus the slope, scaled by the curvature that the remembered steps have shown.
fn direction(slope: &[f64], steps: &VecDeque<Step>) -> Vec<f64> {
    let mut way: Vec<f64> = slope.iter().map(|slope| -slope).collect();
    let mut shares = Vec::with_capacity(steps.len());
    for step in steps.iter().rev() {
        let share = step.inverse * dot(&step.point, &way);
        way.iter_mut().zip(&step.slope).for_each(|(way, slope)| *way -= share * slope);
        shares.push(share);
    }
    if let Some(last) = steps.back() {
        let scale = 1.0 / (last.inverse * dot(&last.slope, &last.slope));
        for way in &mut way {
            *way *= scale;
        }
    }
    for (step, share) in steps.iter().zip(shares.into_iter().rev()) {
        let back = step.inverse * dot(&step.slope, &way);
        way.iter_mut().zip(&step.point).for_each(|(way, point)| *way += (share - back) * point);
    }
    way
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bottom_of_a_narrow_valley_is_found() {
        let valley = |at: &[f64]| {
            let (x, y) = (at[0] - 3.0, at[1] + 1.0);
            (0.5 * x * x + 50.0 * y * y, vec![x, 100.0 * y])
        };
        let bottom = minimise(vec![0.0, 0.0], 100, valley);
        assert!((bottom[0] - 3.0).abs() < 1e-3 && (bottom[1] + 1.0).abs() < 1e-3, "{bottom:?}");
    }
}
