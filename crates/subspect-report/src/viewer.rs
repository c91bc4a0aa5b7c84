//! What a local viewer answers: the page of a run too large for one file, and its parts when they are looked at.
//!
//! | name | what |
//! |---|---|
//! | `/` | the page of the runs, without their data |
//! | `/data/K` | run (or epoch) K without its layers' maps and neighbours |
//! | `/data/K/L` | map, neighbours and class affinities of the inputs in layer L, as many as the run recorded |
//! | `/pictures/K/I.png` | the picture of input I |
//!
//! The names are made of numbers only: no part of a name becomes part of a path. The socket is the caller's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use subspect_data::dynamics::DynamicsRecord;

use crate::context::Context;
use crate::error::ReportError;
use crate::explore::{LayerFiles, reach_of, served_layer, served_run};
use crate::page::Form;
use crate::several::{self, Shown, ShownRun};
use crate::sprite::Atlas;

/// Runs that are looked at through a socket.
pub struct Viewer {
    html: String,
    /// What could not be shown and why, for the log.
    pub notes: Vec<String>,
    runs: Vec<ServedRun>,
    /// Whether the runs are epochs of one training, whose maps share one scale.
    is_training: bool,
    /// Largest coordinate of the maps of a layer in all epochs.
    reach: Mutex<BTreeMap<usize, f32>>,
}

struct ServedRun {
    run: ShownRun,
    atlas: OnceLock<Option<Atlas>>,
}

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Its media type.
    pub content_type: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Viewer {
    /// Reads the records of runs, or of the epochs of one training, and makes their page.
    ///
    /// # Errors
    /// When no run can be read; a run among others is left out, with a note on the page.
    pub fn open(run_dirs: &[PathBuf], comparison: Option<&Path>) -> Result<Self, ReportError> {
        let is_training = matches!(run_dirs, [dir] if comparison.is_none() && is_training(dir));
        let Shown { page, notes, runs } = match run_dirs {
            [dir] if is_training => several::epochs(dir, Form::Served),
            [dir] if comparison.is_none() => several::run(dir, Form::Served),
            dirs => several::runs(dirs, comparison, Form::Served),
        }?;
        let runs = runs.into_iter().map(|run| ServedRun { run, atlas: OnceLock::new() }).collect();
        Ok(Viewer { html: page.html, notes, runs, is_training, reach: Mutex::default() })
    }

    /// What a name stands for; none for a name that is not known.
    ///
    /// # Errors
    /// A part that cannot be packed.
    pub fn get(&self, name: &str) -> Result<Option<Resource>, ReportError> {
        let data = |bytes| Some(Resource { content_type: "application/octet-stream", bytes });
        Ok(match Name::of(name) {
            Some(Name::Page) => Some(Resource {
                content_type: "text/html; charset=utf-8",
                bytes: self.html.clone().into_bytes(),
            }),
            Some(Name::Run(k)) if k < self.runs.len() => data(self.run(k)?),
            Some(Name::Layer(k, l)) if k < self.runs.len() && l < self.runs[k].run.record.layers.len() => {
                data(self.layer(k, l)?)
            }
            Some(Name::Picture(k, i)) if k < self.runs.len() => {
                self.picture(k, i)?.map(|bytes| Resource { content_type: "image/png", bytes })
            }
            _ => None,
        })
    }

    fn run(&self, k: usize) -> Result<Vec<u8>, ReportError> {
        let ShownRun { dir, record } = &self.runs[k].run;
        // A part that cannot be read is missing on the page, which says so where it would be.
        let files = LayerFiles::read(dir, record, &mut Vec::new());
        served_run(&Context::new(record, None)?, &files)
    }

    fn layer(&self, k: usize, l: usize) -> Result<Vec<u8>, ReportError> {
        let ShownRun { dir, record } = &self.runs[k].run;
        let mut file = LayerFiles::of(dir, record.inputs.ids.len(), &record.layers[l], &mut Vec::new());
        if self.is_training {
            file.reach = Some(self.reach(l));
        }
        served_layer(record, l, file)
    }

    /// The epochs' maps of a layer share their largest coordinate, so that nothing jumps between them.
    fn reach(&self, l: usize) -> f32 {
        let mut known = self.reach.lock().unwrap_or_else(PoisonError::into_inner);
        *known.entry(l).or_insert_with(|| {
            let of = |r: &ServedRun| reach_of(&r.run.dir, &r.run.record.layers[l]);
            self.runs.iter().map(of).fold(0.0, f32::max)
        })
    }

    fn picture(&self, k: usize, i: usize) -> Result<Option<Vec<u8>>, ReportError> {
        let ShownRun { dir, record } = &self.runs[k].run;
        let read = || record.thumbnails.as_ref().and_then(|t| Atlas::read(dir, t).ok());
        let atlas = self.runs[k].atlas.get_or_init(read);
        let Some(atlas) = atlas.as_ref().filter(|_| i < record.inputs.ids.len()) else { return Ok(None) };
        atlas.png(i)
    }
}

fn is_training(dir: &Path) -> bool {
    DynamicsRecord::read(dir).is_ok() || !dir.join("record.json").is_file() && several::is_training(dir)
}

/// A name that may be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Page,
    Run(usize),
    Layer(usize, usize),
    Picture(usize, usize),
}

impl Name {
    fn of(name: &str) -> Option<Self> {
        let parts: Vec<&str> = name.strip_prefix('/')?.split('/').collect();
        Some(match parts[..] {
            [""] => Name::Page,
            ["data", k] => Name::Run(number(k)?),
            ["data", k, l] => Name::Layer(number(k)?, number(l)?),
            ["pictures", k, i] => Name::Picture(number(k)?, number(i.strip_suffix(".png")?)?),
            _ => return None,
        })
    }
}

/// Digits, and nothing else that a parser of numbers may let pass.
fn number(text: &str) -> Option<usize> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) { None } else { text.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_names_are_names() {
        assert_eq!(Name::of("/"), Some(Name::Page));
        assert_eq!(Name::of("/data/3"), Some(Name::Run(3)));
        assert_eq!(Name::of("/data/3/0"), Some(Name::Layer(3, 0)));
        assert_eq!(Name::of("/pictures/0/17.png"), Some(Name::Picture(0, 17)));
        for name in [
            "",
            "//",
            "/..",
            "/data",
            "/data/",
            "/data/+1",
            "/data/1/",
            "/data/1/../2",
            "/data/1/2/3",
            "/data/%31",
            "/pictures/0/1",
            "/pictures/0/..png",
            "/record.json",
            "/data/99999999999999999999999",
        ] {
            assert_eq!(Name::of(name), None, "{name}");
        }
    }
}
