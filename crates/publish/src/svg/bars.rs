//! Stacked bars by day, with the days on which nobody was looking hatched:
//! "not observed" never looks like zero.

use std::fmt::Write as _;

use domain::effort::DayState;

use super::{escaped, px};

/// One series of a chart; its class decides its colour.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Name in the legend.
    pub name: String,
    /// Class in the style sheet, such as `s0`.
    pub class: String,
}

/// One bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// Below the bar; empty to leave it out.
    pub label: String,
    /// For a reader that hovers or listens.
    pub title: String,
    /// One value per series.
    pub values: Vec<f64>,
    /// Whether anybody was looking.
    pub effort: DayState,
    /// Where in the bar's time the truce begins and ends, in [0, 1]; equal if
    /// it does not touch it.
    pub truce: (f64, f64),
    /// True for the day that the page is about.
    pub marked: bool,
}

/// A chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// Title; must be unique on the page.
    pub title: String,
    /// What it shows, in a sentence.
    pub description: String,
    /// Series, from the bottom of the stack up.
    pub series: Vec<Series>,
    /// Bars, in order.
    pub bars: Vec<Bar>,
    /// Height of the plot, pixels.
    pub height: f64,
}

const LEFT: f64 = 34.0;
const RIGHT: f64 = 6.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = 34.0;
const WIDTH: f64 = 720.0;

/// The smallest round number that is at least `value`: an even figure times a
/// power of ten, so that half of it is round as well.
fn round_up(value: f64) -> f64 {
    let mut step = 1.0;
    loop {
        for factor in [2.0, 4.0, 6.0, 8.0] {
            if step * factor >= value {
                return step * factor;
            }
        }
        step *= 10.0;
    }
}

impl Chart {
    /// The picture.
    pub fn svg(&self) -> String {
        let highest =
            self.bars.iter().map(|bar| bar.values.iter().sum::<f64>()).fold(0.0, f64::max);
        let top = round_up(highest.max(1.0));
        let plot_height = self.height;
        let total_height = TOP + plot_height + BOTTOM;
        let id = self.id();
        let mut svg = String::new();
        let _ = write!(
            svg,
            "<svg class=\"chart\" viewBox=\"0 0 {} {}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\">\
             <title id=\"{id}-t\">{}</title><desc id=\"{id}-d\">{}</desc>\
             <defs><pattern id=\"{id}-h\" width=\"6\" height=\"6\" patternTransform=\"rotate(45)\" patternUnits=\"userSpaceOnUse\">\
             <line class=\"hatch\" x1=\"0\" y1=\"0\" x2=\"0\" y2=\"6\"/></pattern></defs>",
            px(WIDTH),
            px(total_height),
            escaped(&self.title),
            escaped(&self.description),
        );
        let y = |value: f64| TOP + plot_height * (1.0 - value / top);
        for tick in [0.0, top / 2.0, top] {
            let _ = write!(
                svg,
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{1}\" y2=\"{1}\"/><text class=\"tick\" x=\"{2}\" y=\"{3}\">{4}</text>",
                px(WIDTH - RIGHT),
                px(y(tick)),
                px(LEFT - 5.0),
                px(y(tick) + 4.0),
                px(tick),
            );
        }
        let step = (WIDTH - LEFT - RIGHT) / self.bars.len().max(1) as f64;
        for (index, bar) in self.bars.iter().enumerate() {
            self.bar(&mut svg, bar, LEFT + index as f64 * step, step, &id, &y);
        }
        svg.push_str("</svg>");
        svg
    }

    fn bar(
        &self,
        svg: &mut String,
        bar: &Bar,
        left: f64,
        step: f64,
        id: &str,
        y: &impl Fn(f64) -> f64,
    ) {
        let (bottom, top) = (y(0.0), TOP);
        let (begins, ends) = bar.truce;
        if ends > begins {
            let _ = write!(
                svg,
                "<rect class=\"truce\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>",
                px(left + step * begins),
                px(top),
                px(step * (ends - begins)),
                px(bottom - top)
            );
        }
        let hatched = match bar.effort {
            DayState::Observed => None,
            DayState::Partial => Some("partial"),
            DayState::NotObserved => Some("unseen"),
        };
        let _ = write!(svg, "<g><title>{}</title>", escaped(&bar.title));
        if let Some(class) = hatched {
            let _ = write!(
                svg,
                "<rect class=\"{class}\" fill=\"url(#{id}-h)\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>",
                px(left + step * 0.06),
                px(top),
                px(step * 0.88),
                px(bottom - top)
            );
        }
        let mut base = 0.0;
        for (series, value) in self.series.iter().zip(&bar.values) {
            if *value > 0.0 {
                let _ = write!(
                    svg,
                    "<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>",
                    series.class,
                    px(left + step * 0.14),
                    px(y(base + value)),
                    px(step * 0.72),
                    px(y(base) - y(base + value))
                );
            }
            base += value;
        }
        svg.push_str("</g>");
        let middle = left + step / 2.0;
        if !bar.label.is_empty() {
            let class = if bar.marked { "label marked" } else { "label" };
            let _ = write!(
                svg,
                "<text class=\"{class}\" x=\"{}\" y=\"{}\">{}</text>",
                px(middle),
                px(bottom + 15.0),
                escaped(&bar.label)
            );
        }
        if bar.marked {
            let _ = write!(
                svg,
                "<path class=\"mark\" d=\"M{} {} l5 8 h-10 z\"/>",
                px(middle),
                px(bottom + 20.0)
            );
        }
    }

    /// An id for the parts of the picture, from its title.
    fn id(&self) -> String {
        let simple = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        format!("c-{}", self.title.chars().map(simple).collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chart(values: &[f64], effort: DayState) -> Chart {
        let bar = |value: &f64| Bar {
            label: "1".into(),
            title: "a < b".into(),
            values: vec![*value],
            effort,
            truce: (0.0, 0.0),
            marked: false,
        };
        Chart {
            title: "T".into(),
            description: "D".into(),
            series: vec![Series { name: "n".into(), class: "s0".into() }],
            bars: values.iter().map(bar).collect(),
            height: 100.0,
        }
    }

    #[test]
    fn not_observed_never_looks_like_zero() {
        let zero = chart(&[0.0], DayState::Observed).svg();
        let unseen = chart(&[0.0], DayState::NotObserved).svg();
        assert!(!zero.contains("class=\"unseen\"") && unseen.contains("class=\"unseen\""));
    }

    #[test]
    fn text_is_escaped_and_pictures_are_described() {
        let svg = chart(&[1.0], DayState::Observed).svg();
        assert!(svg.contains("a &lt; b") && svg.contains("role=\"img\"") && svg.contains("<desc"));
    }

    proptest! {
        #[test]
        fn the_scale_holds_every_bar(values in proptest::collection::vec(0.0f64..1e6, 0..30)) {
            let highest = values.iter().copied().fold(0.0, f64::max).max(1.0);
            let top = round_up(highest);
            prop_assert!(top >= highest && top <= 5.0 * highest.max(1.0));
            prop_assert!(chart(&values, DayState::Observed).svg().ends_with("</svg>"));
        }
    }
}
