//! The page in a real browser, opened from disk: no console message, no request, the script has run.
//!
//! The browser is `CHROMIUM`, or the first of the usual names on the path; without one the test is skipped.

#![allow(clippy::unwrap_used)]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use support::Sample;

/// What the browser saw.
struct Visit {
    dom: String,
    console: Vec<String>,
    requests: Vec<String>,
}

fn browser() -> Option<PathBuf> {
    let named = std::env::var_os("CHROMIUM").filter(|name| !name.is_empty()).map(PathBuf::from);
    named.or_else(|| {
        let path = std::env::var_os("PATH")?;
        let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
        std::env::split_paths(&path).flat_map(|d| names.map(|n| d.join(n))).find(|p| p.is_file())
    })
}

fn visit(browser: &Path, page: &Path) -> Visit {
    let profile = tempfile::tempdir().unwrap();
    let log = profile.path().join("net.json");
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--enable-logging=stderr", "--v=0", "--dump-dom", "--window-size=1240,1600"])
        // Nothing may leave the machine, not even what the browser asks for itself.
        .arg("--host-resolver-rules=MAP * ~NOTFOUND")
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("--log-net-log={}", log.display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    let net = std::fs::read_to_string(&log).unwrap();
    // The browser's own calls home are not the page's.
    let own = |url: &&str| {
        let host = url.split('/').nth(2).unwrap_or("");
        host.ends_with("google.com") || host.ends_with("googleapis.com")
    };
    let urls = net.split("\"url\":\"").skip(1).filter_map(|rest| rest.split('"').next());
    Visit {
        dom: String::from_utf8_lossy(&output.stdout).into_owned(),
        console: stderr.lines().filter(|l| l.contains("CONSOLE")).map(str::to_owned).collect(),
        requests: urls.filter(|u| u.starts_with("http")).filter(|u| !own(u)).map(str::to_owned).collect(),
    }
}

#[test]
fn the_page_is_silent_in_a_browser() {
    let Some(browser) = browser() else {
        eprintln!("skipped: the_page_is_silent_in_a_browser: needs chromium (set CHROMIUM)");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    Sample::default().write(dir.path());
    let page = subspect_report::render(dir.path()).unwrap().page.path;
    let seen = visit(&browser, &page);
    assert!(seen.console.is_empty(), "{:#?}", seen.console);
    assert!(seen.requests.is_empty(), "{:#?}", seen.requests);
    assert!(
        seen.dom.contains("data-n=\"20\" data-columns=\"20\" tabindex=\"0\""),
        "the script has not prepared the maps"
    );

    // The same eyes see a page that does misbehave.
    let html = std::fs::read_to_string(&page).unwrap();
    let bad = dir.path().join("bad.html");
    let spoilt = html.replace("default-src 'none'", "default-src *").replace("img-src data:", "img-src *");
    let spoilt = spoilt.replace("</main>", "<img src=\"https://example.invalid/x.png\" alt=\"\"></main>");
    std::fs::write(&bad, spoilt.replace("</body>", "<script>throw new Error('seen')</script></body>"))
        .unwrap();
    let seen = visit(&browser, &bad);
    assert!(seen.console.iter().any(|l| l.contains("seen")), "{:#?}", seen.console);
    assert!(seen.requests.iter().any(|u| u.contains("example.invalid")), "{:#?}", seen.requests);
}
