//! Connected parts of a mask.

use crate::geometry::Rect;

/// One connected part.
#[derive(Debug, Clone, PartialEq)]
pub struct Component {
    /// The box around it.
    pub rect: Rect,
    /// Its pixels.
    pub area: usize,
    /// The label of its pixels in [`Components::labels`].
    pub label: u16,
}

/// Finds connected parts, 8-connected, in two passes over the rows with a union of labels
/// (A. Rosenfeld and J. Pfaltz, "Sequential operations in digital picture processing", 1966).
#[derive(Debug, Default)]
pub struct Components {
    /// The label of each pixel; 0 outside of all parts.
    pub labels: Vec<u16>,
    parents: Vec<u16>,
    final_label: Vec<u16>,
}

impl Components {
    /// The parts of at least `least` pixels. More labels than 16 bits hold are left out.
    pub fn find(&mut self, mask: &[u8], width: usize, least: usize) -> Vec<Component> {
        self.labels.clear();
        self.labels.resize(mask.len(), 0);
        self.parents.clear();
        self.parents.push(0);
        for (at, &set) in mask.iter().enumerate() {
            if set == 1 {
                self.labels[at] = self.join_earlier(at, width);
            }
        }
        self.collect(width, least)
    }

    /// The label of a set pixel from its neighbours above and to the left, which it joins.
    fn join_earlier(&mut self, at: usize, width: usize) -> u16 {
        let x = at % width;
        let mut label = 0;
        if x > 0 {
            label = self.labels[at - 1];
        }
        if at >= width {
            let up = at - width;
            let neighbours = [
                if x > 0 { self.labels[up - 1] } else { 0 },
                self.labels[up],
                if x + 1 < width { self.labels[up + 1] } else { 0 },
            ];
            for other in neighbours {
                if other == 0 || other == label {
                    continue;
                }
                label = if label == 0 { other } else { self.union(label, other) };
            }
        }
        if label == 0 {
            let next = self.parents.len().min(usize::from(u16::MAX)) as u16;
            if usize::from(next) == self.parents.len() {
                self.parents.push(next);
            }
            label = next;
        }
        label
    }

    fn root(&self, mut label: u16) -> u16 {
        while self.parents[usize::from(label)] != label {
            label = self.parents[usize::from(label)];
        }
        label
    }

    fn union(&mut self, a: u16, b: u16) -> u16 {
        let (a, b) = (self.root(a), self.root(b));
        let (least, most) = (a.min(b), a.max(b));
        self.parents[usize::from(most)] = least;
        least
    }

    fn collect(&mut self, width: usize, least: usize) -> Vec<Component> {
        self.final_label.clear();
        self.final_label.resize(self.parents.len(), 0);
        let mut found: Vec<Component> = Vec::new();
        for at in 0..self.labels.len() {
            let label = self.labels[at];
            if label == 0 {
                continue;
            }
            let root = usize::from(self.root(label));
            if self.final_label[root] == 0 {
                let label = (found.len() + 1) as u16;
                self.final_label[root] = label;
                let rect = Rect { x0: f32::MAX, y0: f32::MAX, x1: 0.0, y1: 0.0 };
                found.push(Component { rect, area: 0, label });
            }
            let label = self.final_label[root];
            self.labels[at] = label;
            let part = &mut found[usize::from(label) - 1];
            let (x, y) = ((at % width) as f32, (at / width) as f32);
            part.area += 1;
            part.rect.x0 = part.rect.x0.min(x);
            part.rect.y0 = part.rect.y0.min(y);
            part.rect.x1 = part.rect.x1.max(x + 1.0);
            part.rect.y1 = part.rect.y1.max(y + 1.0);
        }
        found.retain(|part| part.area >= least);
        found
    }
}
