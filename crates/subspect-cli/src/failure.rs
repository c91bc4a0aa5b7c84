//! Errors as people read them: what went wrong, why, how to mend it. No backtrace; colour only on a terminal.

use std::error::Error;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use subspect_pipeline::PipelineError;

/// A command that cannot answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something went wrong.
    Error {
        /// What.
        message: String,
        /// How to mend it.
        help: Option<String>,
    },
    /// The user stopped it.
    Interrupted {
        /// How to go on.
        resume: Option<String>,
    },
    /// Whoever read our output has gone.
    BrokenPipe,
}

impl Failure {
    /// An error without further advice.
    pub(crate) fn other(message: impl Into<String>) -> Self {
        Failure::Error { message: message.into(), help: None }
    }

    /// An error and how to mend it.
    pub(crate) fn with_help(message: impl Into<String>, help: impl Into<String>) -> Self {
        Failure::Error { message: message.into(), help: Some(help.into()) }
    }

    /// Of work that the same command goes on with after an interruption.
    pub(crate) fn resumable(e: PipelineError, command: &str) -> Self {
        match Failure::from(e) {
            Failure::Interrupted { .. } => Failure::Interrupted { resume: Some(command.to_owned()) },
            other => other,
        }
    }

    /// stdout could not be written.
    pub(crate) fn from_stdout(e: std::io::Error) -> Self {
        match e.kind() {
            std::io::ErrorKind::BrokenPipe => Failure::BrokenPipe,
            _ => Failure::other(format!("cannot write to stdout: {e}")),
        }
    }

    /// An error with its causes, unless a message already contains them.
    pub(crate) fn from_error(e: &dyn Error) -> Self {
        let mut message = e.to_string();
        let mut cause = e.source();
        while let Some(c) = cause {
            let text = c.to_string();
            if !message.contains(&text) {
                message += &format!(": {text}");
            }
            cause = c.source();
        }
        Failure::other(message)
    }

    /// Tells the user and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        match self {
            Failure::BrokenPipe => return ExitCode::SUCCESS,
            Failure::Interrupted { resume } => {
                line("interrupted", "everything finished so far is kept");
                if let Some(command) = resume {
                    line("help", &format!("to go on, run the same command again: {command}"));
                }
                return ExitCode::from(130);
            }
            Failure::Error { message, help } => {
                line("error", message);
                if let Some(help) = help {
                    line("help", help);
                }
            }
        }
        ExitCode::from(2)
    }
}

impl From<PipelineError> for Failure {
    fn from(e: PipelineError) -> Self {
        if matches!(e, PipelineError::Interrupted) {
            return Failure::Interrupted { resume: None };
        }
        match (Failure::from_error(&e), e.help()) {
            (Failure::Error { message, .. }, help) => Failure::Error { message, help },
            (other, _) => other,
        }
    }
}

/// A line on stderr that starts with `kind: `.
pub(crate) fn line(kind: &str, text: &str) {
    let mut stderr = std::io::stderr().lock();
    let colour = match kind {
        "error" | "failed" => "31;1",
        "warning" | "interrupted" => "33;1",
        _ => "36",
    };
    // Nothing can be told when stderr itself is closed.
    let _ = if coloured() {
        writeln!(stderr, "\x1b[{colour}m{kind}:\x1b[0m {text}")
    } else {
        writeln!(stderr, "{kind}: {text}")
    };
}

fn coloured() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}

/// Help, version and wrong arguments, as clap words them; wrong arguments give exit code 2.
pub(crate) fn usage(e: &clap::Error) -> ExitCode {
    // A reader that has gone is no error.
    let _ = e.print();
    if e.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS }
}
