//! Pictures and labels in memory, as bytes: shares of the data, label noise, augmentation, batches.

use rand::RngCore;
use subspect_data::dataset::Dataset;
use subspect_linalg::Seed;
use subspect_statistics::{below, permutation, shuffle};

use crate::TrainError;

/// Labelled pictures, `C x H x W` bytes each.
#[derive(Clone, Debug, PartialEq)]
pub struct Examples {
    pub(crate) pixels: Vec<u8>,
    pub(crate) labels: Vec<u32>,
    pub(crate) shape: [usize; 3],
}

impl Examples {
    /// Reads these inputs of a data set.
    ///
    /// # Errors
    /// What reading meets, and [`TrainError::Option`] for a data set without labels.
    pub fn read(dataset: &Dataset, chosen: &[usize]) -> Result<Self, TrainError> {
        if dataset.labels().len() != dataset.len() || dataset.tokens().is_some() {
            let found = format!("{} without them", dataset.name());
            return Err(TrainError::Option {
                option: "data",
                expected: "pictures with labels".into(),
                found,
            });
        }
        let [height, width, channels] = dataset.image_shape();
        let size = dataset.n_pixels();
        let mut pixels = vec![0; chosen.len() * size];
        for (&i, out) in chosen.iter().zip(pixels.chunks_exact_mut(size.max(1))) {
            dataset.read_chw(i, out)?;
        }
        let labels = chosen.iter().map(|&i| dataset.labels()[i]).collect();
        Ok(Self { pixels, labels, shape: [channels, height, width] })
    }

    /// Number of inputs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Positions of a share of each class (rounded up, so that none vanishes), ascending.
    pub(crate) fn share(labels: &[u32], share: f64, seed: Seed) -> Vec<usize> {
        let mut order = permutation(labels.len(), seed);
        let classes = labels.iter().max().map_or(0, |&c| c as usize + 1);
        let mut left = vec![0_usize; classes];
        labels.iter().for_each(|&c| left[c as usize] += 1);
        left.iter_mut().for_each(|n| *n = (share * *n as f64).ceil() as usize);
        order.retain(|&i| {
            let left = &mut left[labels[i as usize] as usize];
            let taken = *left > 0;
            *left -= usize::from(taken);
            taken
        });
        let mut chosen: Vec<usize> = order.into_iter().map(|i| i as usize).collect();
        chosen.sort_unstable();
        chosen
    }

    /// Draws the labels of a share of the inputs anew, uniformly over all classes; how many were drawn.
    pub(crate) fn relabel(&mut self, share: f64, n_classes: usize, seed: Seed) -> usize {
        let wanted = (share * self.len() as f64).round() as usize;
        let order = permutation(self.len(), seed);
        let mut rng = seed.axis("label").rng();
        for &i in order.iter().take(wanted) {
            self.labels[i as usize] = below(&mut rng, n_classes) as u32;
        }
        wanted
    }

    /// The order of one epoch.
    pub(crate) fn order(&self, seed: Seed) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.len()).collect();
        shuffle(&mut order, seed);
        order
    }

    /// These pictures as network input, cropped and mirrored at random where `augment` says so.
    pub(crate) fn batch(
        &self,
        chosen: &[usize],
        tables: &[[f32; 256]],
        augment: Option<&mut Augment>,
    ) -> Vec<f32> {
        let size = self.shape.iter().product::<usize>();
        let mut out = Vec::with_capacity(chosen.len() * size);
        let mut none = Augment { crop: 0, flip: false, rng: None };
        let augment = augment.unwrap_or(&mut none);
        for &i in chosen {
            let way = augment.draw();
            self.picture(&self.pixels[i * size..(i + 1) * size], way, tables, &mut out);
        }
        out
    }

    /// One picture moved by `(down, right)` with black around it, and mirrored.
    fn picture(&self, bytes: &[u8], way: Way, tables: &[[f32; 256]], out: &mut Vec<f32>) {
        let [channels, height, width] = self.shape;
        for c in 0..channels {
            let table = &tables[c];
            for y in 0..height as isize {
                let from = y + way.down;
                for x in 0..width as isize {
                    let across = if way.flip { width as isize - 1 - x } else { x } + way.right;
                    let inside =
                        (0..height as isize).contains(&from) && (0..width as isize).contains(&across);
                    let at = (c * height) as isize + from;
                    let byte = if inside { bytes[(at * width as isize + across) as usize] } else { 0 };
                    out.push(table[byte as usize]);
                }
            }
        }
    }
}

/// Random crops and mirror images.
pub(crate) struct Augment {
    crop: usize,
    flip: bool,
    rng: Option<Box<dyn RngCore>>,
}

#[derive(Clone, Copy, Default)]
struct Way {
    down: isize,
    right: isize,
    flip: bool,
}

impl Augment {
    pub(crate) fn new(crop: usize, flip: bool, seed: Seed) -> Self {
        Self { crop, flip, rng: Some(Box::new(seed.rng())) }
    }

    fn draw(&mut self) -> Way {
        let Some(rng) = &mut self.rng else { return Way::default() };
        let mut offset = || below(rng, 2 * self.crop + 1) as isize - self.crop as isize;
        let (down, right) = (offset(), offset());
        Way { down, right, flip: self.flip && below(rng, 2) == 1 }
    }
}

#[cfg(test)]
mod tests {
    use subspect_nets::Normalize;

    use super::*;

    fn examples() -> Examples {
        let labels: Vec<u32> = (0..40).map(|i| [0, 1, 1, 2][i % 4]).collect();
        Examples { pixels: (0..40 * 12).map(|v| (v % 251 + 1) as u8).collect(), labels, shape: [1, 3, 4] }
    }

    #[test]
    fn a_share_keeps_the_balance_of_the_classes_and_grows_by_adding() {
        let e = examples();
        let count = |chosen: &[usize], class| chosen.iter().filter(|&&i| e.labels[i] == class).count();
        let half = Examples::share(&e.labels, 0.5, Seed::new(3));
        assert_eq!([count(&half, 0), count(&half, 1), count(&half, 2)], [5, 10, 5]);
        let tenth = Examples::share(&e.labels, 0.1, Seed::new(3));
        assert!(tenth.iter().all(|i| half.contains(i)));
        assert_eq!(Examples::share(&e.labels, 1.0, Seed::new(3)), (0..40).collect::<Vec<_>>());
    }

    #[test]
    fn label_noise_touches_its_share_only() {
        let (mut e, before) = (examples(), examples());
        assert_eq!(e.relabel(0.25, 3, Seed::new(1)), 10);
        let changed = e.labels.iter().zip(&before.labels).filter(|(a, b)| a != b).count();
        assert!(changed > 2 && changed <= 10, "{changed}");
        assert_eq!(e.relabel(0.0, 3, Seed::new(1)), 0);
    }

    #[test]
    fn crops_move_the_picture_and_mirrors_turn_it_round() {
        let e = examples();
        let tables = Normalize::None.tables(1).unwrap();
        let plain = e.batch(&[0], &tables, None);
        let mut out = Vec::new();
        e.picture(&e.pixels[..12], Way { down: 0, right: 0, flip: true }, &tables, &mut out);
        for y in 0..3 {
            let mirrored: Vec<f32> = plain[4 * y..4 * y + 4].iter().rev().copied().collect();
            assert_eq!(out[4 * y..4 * y + 4], mirrored);
        }
        out.clear();
        e.picture(&e.pixels[..12], Way { down: 1, right: -1, flip: false }, &tables, &mut out);
        assert_eq!(out[0], 0.0);
        assert_eq!(out[1], plain[4]);
        assert_eq!(out[8..], [0.0; 4]);
        let drawn = |seed| e.batch(&[0, 1, 2], &tables, Some(&mut Augment::new(1, true, Seed::new(seed))));
        assert_eq!(drawn(5), drawn(5));
        assert_ne!(drawn(5), drawn(6));
    }
}
