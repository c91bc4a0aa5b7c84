//! Arguments made from [`subspect_pipeline::options::OPTIONS`] and the parameters of [`METHODS`], so that names,
//! defaults and help text live there only.

use std::marker::PhantomData;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use subspect_express::{METHODS, ParameterInfo};
use subspect_pipeline::options::{Group, Kind, OptionInfo, Options, option, short};

/// Which options a command takes.
pub(crate) trait OptionSet {
    /// Names in the list of options.
    const NAMES: &'static [&'static str];
    /// Those that must be given.
    const REQUIRED: &'static [&'static str] = &[];
    /// Whether the methods' own parameters are taken too.
    const PARAMETERS: bool = false;
}

/// The options of `S` that were given.
#[derive(Debug)]
pub(crate) struct OptionArgs<S> {
    /// By name, with the flag as origin.
    pub options: Options,
    set: PhantomData<S>,
}

impl<S: OptionSet> Args for OptionArgs<S> {
    fn augment_args(cmd: Command) -> Command {
        let listed = S::NAMES.iter().filter_map(|name| option(name));
        let cmd = cmd.args(listed.map(|info| option_arg(info, S::REQUIRED.contains(&info.name))));
        if S::PARAMETERS { cmd.args(parameters().map(parameter_arg)) } else { cmd }
    }

    fn augment_args_for_update(cmd: Command) -> Command {
        Self::augment_args(cmd)
    }
}

impl<S: OptionSet> FromArgMatches for OptionArgs<S> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut options = Options::default();
        for info in S::NAMES.iter().filter_map(|name| option(name)) {
            if info.kind == Kind::Switch {
                if matches.get_flag(info.name) {
                    let value = if is_on(info) { "false" } else { "true" };
                    options.set(info.name, vec![value.into()], &format!("--{}", switch_flag(info)));
                }
            } else {
                take(matches, info.name, &mut options);
            }
        }
        if S::PARAMETERS {
            parameters().for_each(|name| take(matches, name, &mut options));
        }
        Ok(OptionArgs { options, set: PhantomData })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.options.overlay(Self::from_arg_matches(matches)?.options);
        Ok(())
    }
}

fn take(matches: &ArgMatches, name: &str, options: &mut Options) {
    if let Some(values) = matches.get_many::<String>(name) {
        options.set(name, values.cloned().collect(), &format!("--{}", dashed(name)));
    }
}

fn dashed(name: &str) -> String {
    name.replace('_', "-")
}

fn option_arg(info: &OptionInfo, required: bool) -> Arg {
    let arg = Arg::new(info.name).help_heading(info.group.heading());
    if info.kind == Kind::Switch {
        let help = if is_on(info) {
            format!("Do not {}", lower_first(info.summary))
        } else {
            info.summary.to_owned()
        };
        return arg.long(switch_flag(info)).action(ArgAction::SetTrue).help(help);
    }
    let default = match info.default_text() {
        text if text.is_empty() => text,
        text => format!(" [default: {text}]"),
    };
    let arg =
        arg.long(dashed(info.name)).value_name(info.value_name).required(required).allow_hyphen_values(true);
    let arg = if info.kind == Kind::List {
        arg.num_args(1..).action(ArgAction::Append).allow_hyphen_values(false)
    } else {
        arg
    };
    arg.help(format!("{}{default}", info.summary))
}

fn is_on(info: &OptionInfo) -> bool {
    info.default_text() == "true"
}

fn switch_flag(info: &OptionInfo) -> String {
    if is_on(info) { format!("no-{}", dashed(info.name)) } else { dashed(info.name) }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| c.to_lowercase().chain(chars).collect())
}

/// Names of the methods' parameters that are not options themselves, without repetition.
fn parameters() -> impl Iterator<Item = &'static str> {
    let mut seen: Vec<&str> = Vec::new();
    METHODS.iter().flat_map(|m| m.parameters).map(|p| p.name).filter(move |name| {
        let new = option(name).is_none() && !seen.contains(name);
        seen.push(name);
        new
    })
}

/// A default as a person writes it.
pub(crate) fn default_text(parameter: &ParameterInfo, value: f64) -> String {
    if parameter.is_switch() { parameter.show(value) } else { short(value) }
}

/// One argument for a parameter, with the methods it belongs to and their defaults.
fn parameter_arg(name: &'static str) -> Arg {
    let users: Vec<_> = METHODS
        .iter()
        .filter_map(|m| m.parameters.iter().find(|p| p.name == name).map(|p| (m.name, p)))
        .collect();
    let summary = users.first().map_or("", |(_, p)| p.summary);
    let methods: Vec<String> = users
        .iter()
        .map(|(method, p)| {
            p.default.map_or((*method).to_owned(), |d| format!("{method}: {}", default_text(p, d)))
        })
        .collect();
    Arg::new(name)
        .long(dashed(name))
        .value_name(if users.iter().all(|(_, p)| p.is_switch()) { "true|false" } else { "X" })
        .allow_hyphen_values(true)
        .help_heading(Group::Expression.heading())
        .help(format!("{} [{}]", summary.trim_end_matches('.'), methods.join(", ")))
}
