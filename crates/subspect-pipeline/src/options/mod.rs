//! The options of a run, listed once: name, default, meaning.
//!
//! The same list makes the arguments of `subspect run`, the keys of a configuration file, the lines of
//! `plan.toml` and the help text, so a default lives in one place. A method's own parameters come from
//! [`subspect_express::METHODS`] in the same way. Names are written with `_` here and in files, with `-` on the
//! command line.

mod config;
mod list;
mod value;

pub use config::read_config;
pub(crate) use config::{config_options, config_table, known_options};
pub use list::{Group, Kind, OPTIONS, OptionInfo, option};
pub use value::{Options, parse_bytes, short, show_bytes};

use subspect_express::{METHODS, MethodInfo};

/// Every name that may be set: the options and all methods' parameters, without repetition.
pub fn all_names() -> Vec<&'static str> {
    let parameters = METHODS.iter().flat_map(|m| m.parameters.iter().map(|p| p.name));
    let mut names: Vec<&str> = OPTIONS.iter().map(|o| o.name).collect();
    for name in parameters {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Whether a method looks at an option: its own parameters, and the solver's when rows are certified.
pub(crate) fn uses(method: &MethodInfo, name: &str) -> bool {
    method.parameters.iter().any(|p| p.name == name)
        || (method.certified && ["tol", "max_iter"].contains(&name))
}

/// The known name closest to `name`, if any is close enough to be meant (Jaro-Winkler above 0.75).
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|k| (strsim::jaro_winkler(name, k), k))
        .filter(|(score, _)| *score > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, k)| k)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_or_none() {
        assert_eq!(nearest("alpha_raito", all_names()), Some("alpha_ratio"));
        assert_eq!(nearest("permutation", all_names()), Some("permutations"));
        assert_eq!(nearest("zzz", all_names()), None);
    }

    #[test]
    fn names_are_unique_and_spelled_alike() {
        let names = all_names();
        for (i, name) in names.iter().enumerate() {
            assert!(!names[..i].contains(name), "{name} twice");
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit()), "{name}");
        }
    }
}
