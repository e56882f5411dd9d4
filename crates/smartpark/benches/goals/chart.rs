//! The chart: for every line how much of its goal is reached, as a bar beside the goal's mark.

use std::fmt::Write;

use crate::report::{Group, Line};

const WIDTH: usize = 860;
const ROW: usize = 24;
const TOP: usize = 48;
/// Where bars begin, and how long the goal itself is.
const LEFT: usize = 400;
const GOAL: usize = 200;
/// Bars end here, however much more is reached.
const MOST: f64 = 2.0;

const STYLE: &str = "<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600 }
.met { fill: #2f7d4f }
.missed { fill: #b3541e }
.goal { stroke: #1f2328; stroke-width: 1.5; stroke-dasharray: 4 3 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .met { fill: #57ab7a }
  .missed { fill: #e0823d }
  .goal { stroke: #e6edf3 }
}
</style>";

/// The chart as SVG.
pub(crate) fn draw(groups: &[Group]) -> String {
    let lines = groups.iter().flat_map(|group| &group.lines);
    let bars: Vec<(&Line, f64)> =
        lines.filter_map(|line| line.reached().map(|part| (line, part))).collect();
    let height = TOP + bars.len() * ROW + 8;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n\
         <title>How much of each goal is reached</title>\n{STYLE}\n\
         <text class=\"title\" x=\"8\" y=\"20\">How much of each goal is reached</text>\n"
    );
    let mark = LEFT + GOAL;
    let _ = writeln!(svg, "<text x=\"{mark}\" y=\"36\" text-anchor=\"middle\">goal</text>");
    for (place, (line, part)) in bars.iter().enumerate() {
        let y = TOP + place * ROW;
        let class = if *part >= 1.0 { "met" } else { "missed" };
        let length = part.min(MOST) * GOAL as f64;
        let (base, bar, end) = (y + 15, y + 3, LEFT as f64 + length + 8.0);
        let name = escaped(&line.workload);
        let part = if *part < 10.0 { format!("{part:.2} ×") } else { format!("{part:.0} ×") };
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{base}\" text-anchor=\"end\">{name}</text>\n\
             <rect class=\"{class}\" x=\"{LEFT}\" y=\"{bar}\" width=\"{length:.0}\" \
             height=\"16\" rx=\"2\"/>\n<text x=\"{end:.0}\" y=\"{base}\">{part}</text>",
            LEFT - 8,
        );
    }
    let _ = writeln!(
        svg,
        "<line class=\"goal\" x1=\"{mark}\" y1=\"{}\" x2=\"{mark}\" y2=\"{height}\"/>\n</svg>",
        TOP - 8,
    );
    svg
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
