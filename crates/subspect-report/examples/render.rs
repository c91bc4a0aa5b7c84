//! Renders the report of a run directory: `cargo run -p subspect-report --example render -- RUN_DIR`.

fn main() {
    let Some(dir) = std::env::args_os().nth(1) else {
        eprintln!("expected: the directory of a finished run");
        std::process::exit(2);
    };
    match subspect_report::render(std::path::Path::new(&dir)) {
        Ok(files) => {
            for file in std::iter::once(&files.page).chain(&files.figures) {
                println!("{:>9}  {}", file.bytes, file.path.display());
            }
            files.notes.iter().for_each(|note| eprintln!("note: {note}"));
        }
        Err(error) => {
            eprintln!("{error}");
            std::process::exit(2);
        }
    }
}
