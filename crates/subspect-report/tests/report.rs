//! The whole way from a run directory to files, for ordinary and for extreme runs.

mod support;

use std::path::Path;

use subspect_data::record::{RunRecord, RunState};
use subspect_linalg::{Measured, Status};
use subspect_report::{FIGURES, PANELS, ReportError, render, render_html};
use support::Sample;

const STATUSES: [Status; 11] = [
    Status::NTooSmall,
    Status::ZeroVariance,
    Status::EmptyGraph,
    Status::OneClass,
    Status::NoLabels,
    Status::NoPredictions,
    Status::NotExecuted,
    Status::NotPositive,
    Status::NotFinite,
    Status::NotApplicable,
    Status::NotConverged,
];

/// Runs that a report must survive.
fn extremes() -> Vec<(&'static str, Sample)> {
    let base = Sample { n_inputs: 200, thumbnails: false, ..Sample::default() };
    vec![
        ("ordinary", base),
        ("no model", Sample { model: false, ..base }),
        ("no labels", Sample { labels: false, ..base }),
        ("neither", Sample { model: false, labels: false, ..base }),
        ("one layer", Sample { n_layers: 1, ..base }),
        ("two layers", Sample { n_layers: 2, ..base }),
        ("no layer", Sample { n_layers: 0, n_cards: 0, ..base }),
        ("100 layers", Sample { n_layers: 100, ..base }),
        ("40 classes", Sample { n_classes: 40, n_layers: 4, ..base }),
        ("1000 classes", Sample { n_classes: 1000, n_inputs: 2000, n_layers: 3, ..base }),
        ("one class", Sample { n_classes: 1, ..base }),
        ("no mistakes", Sample { n_cards: 0, ..base }),
    ]
}

/// Neither a number that is none nor a template's leftovers.
fn assert_clean(name: &str, html: &str) {
    // Base64 spells anything, by chance; the page's own script may use words that no reader sees.
    let html = html.split("<script type=\"application/octet-stream\"").next().unwrap_or_default();
    let html = match html.split_once(";base64,") {
        Some((before, after)) => format!("{before}{}", after.trim_start_matches(|c| c != ')')),
        None => html.to_owned(),
    };
    for bad in ["NaN", "{{", "{%", ">inf", "Some(", "None", "Undefined"] {
        assert!(!html.contains(bad), "{name}: the page contains {bad:?}");
    }
}

/// The text between `open` and `close`, every time.
fn between<'a>(text: &'a str, open: &str, close: &str) -> Vec<&'a str> {
    text.split(open).skip(1).filter_map(|rest| rest.split(close).next()).collect()
}

#[test]
fn a_run_directory_becomes_a_page_and_figures() {
    let dir = tempfile::tempdir().unwrap();
    Sample::default().write(dir.path());
    let files = render(dir.path()).unwrap();
    assert!(files.notes.is_empty(), "{:?}", files.notes);
    let names: Vec<String> =
        files.figures.iter().map(|f| f.path.file_name().unwrap().to_string_lossy().into_owned()).collect();
    for name in [
        "modularity.svg",
        "modularity.png",
        "similarity-ssc_cka.svg",
        "similarity-linear_cka.png",
        "similarity-ssc_cka-debiased.svg",
        "class_affinity.png",
        "class_affinity-first.svg",
    ] {
        assert!(names.contains(&name.to_string()), "{name} is missing among {names:?}");
    }
    for file in files.figures.iter().chain([&files.page]) {
        assert_eq!(std::fs::metadata(&file.path).unwrap().len(), file.bytes, "{}", file.path.display());
    }
    for png in files.figures.iter().filter(|f| f.path.extension().unwrap() == "png") {
        assert!(std::fs::read(&png.path).unwrap().starts_with(b"\x89PNG"));
    }
    // The page holds the very same figures.
    let html = std::fs::read_to_string(&files.page.path).unwrap();
    for svg in files.figures.iter().filter(|f| f.path.extension().unwrap() == "svg") {
        let text = std::fs::read_to_string(&svg.path).unwrap();
        assert!(html.contains(&text), "{} differs from the page", svg.path.display());
    }
    assert!(html.contains("url(data:image/"));
    assert!(files.page.bytes < 2_000_000, "the page has {} bytes", files.page.bytes);
    assert_clean("ordinary", &html);
}

#[test]
fn the_same_record_gives_the_same_bytes() {
    let record = Sample::default().record();
    assert!(render_html(&record, None).unwrap() == render_html(&record, None).unwrap());
}

#[test]
fn every_extreme_run_has_a_page() {
    for (name, sample) in extremes() {
        let record = sample.record();
        let html = render_html(&record, None).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_clean(name, &html);
        for panel in PANELS.iter().filter(|p| p.name != "overview") {
            assert!(
                html.contains(&format!("<section id=\"{}\"", panel.name)),
                "{name}: no panel {}",
                panel.name
            );
        }
        assert!(html.len() < 3_000_000, "{name}: {} bytes", html.len());
    }
}

#[test]
fn many_classes_get_a_note_and_few_bars() {
    let sample =
        Sample { n_classes: 1000, n_inputs: 2000, n_layers: 3, thumbnails: false, ..Sample::default() };
    let html = render_html(&sample.record(), None).unwrap();
    assert!(html.contains("With 1000 classes the map would not be legible"));
    for bars in between(&html, "<table class=\"bars\">", "</table>") {
        assert!(bars.matches("<tr").count() <= 8);
    }
}

#[test]
fn every_status_is_spelled_out() {
    for status in STATUSES {
        let mut record = Sample { thumbnails: false, statuses: false, ..Sample::default() }.record();
        let layer = &mut record.layers[2];
        layer.measures.values_mut().for_each(|m| *m = status.into());
        layer.solve.gap_max = status.into();
        record.similarity[0].values[1][2] = status.into();
        record.similarity[0].values[2][1] = status.into();
        let html = render_html(&record, None).unwrap();
        assert!(html.contains(&format!(">{status}</span>")), "{status} is not in the table");
        assert!(html.contains("no value: ") && html.contains(&format!("{status} (2 cells)")), "{status}");
        assert_clean(status.as_str(), &html);
    }
}

#[test]
fn numbers_that_are_none_become_statuses_even_in_memory() {
    let mut record = Sample { thumbnails: false, ..Sample::default() }.record();
    record.layers[1].measures.insert("modularity".into(), Measured::Value(f64::NAN));
    record.similarity[0].values[1][1] = Measured::Value(f64::INFINITY);
    record.layers[19].class_affinity[0][0] = f64::NAN;
    record.inputs.confidence[5] = f32::NAN;
    record.neighbourhoods[0].neighbours[0].affinity = f64::NAN;
    record.neighbourhoods[0].class_affinity[0] = f64::NAN;
    record.seconds.insert("capture".into(), f64::NAN);
    assert_clean("not finite", &render_html(&record, None).unwrap());
}

#[test]
fn markup_in_names_stays_text() {
    let evil = "<img src=x onerror=alert(1)>\"'</script><script>alert(2)</script>&amp;";
    let mut record = Sample::default().record();
    record.dataset.classes.iter_mut().for_each(|c| *c = evil.into());
    record.dataset.name = evil.into();
    record.dataset.citation = Some(evil.into());
    record.model.as_mut().unwrap().name = evil.into();
    record.layers.iter_mut().for_each(|l| (l.name, l.kind) = (evil.into(), evil.into()));
    record.inputs.ids.iter_mut().for_each(|id| *id = evil.into());
    record.summary.push(evil.into());
    record.warnings.push(evil.into());
    record.command = evil.into();
    record.settings.insert(evil.into(), evil.into());
    record.similarity[0].measure = evil.into();
    record.similarity[1].estimator = evil.into();
    let html = render_html(&record, None).unwrap();
    assert!(!html.contains("<img"), "an element came through");
    assert!(html.contains("&lt;img src=x onerror=alert(1)&gt;"));
    assert!(html.contains("&amp;amp;"), "text that looks escaped is text too");
    let scripts = between(&html, "<script", "</script>");
    assert_eq!(scripts.len(), 4 + record.similarity.len());
    assert!(scripts.iter().all(|s| !s.contains("alert(2)") || s.starts_with(" type=\"application/json\"")));
    for json in between(&html, "<script type=\"application/json\">", "</script>") {
        assert!(!json.contains('<'));
        serde_json::from_str::<serde_json::Value>(json).unwrap();
    }
}

#[test]
fn the_page_loads_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let record = Sample::default().write(dir.path());
    let html = std::fs::read_to_string(render(dir.path()).unwrap().page.path).unwrap();
    assert!(html.contains("default-src 'none'"));
    for target in between(&html, "url(", ")") {
        let inline = target.starts_with("data:image/") && target.contains(";base64,");
        assert!(inline || target.starts_with('#'), "{target:.60}");
    }
    assert!(between(&html, "href=\"", "\"").iter().all(|h| h.starts_with('#')));
    assert!(!html.contains(" src=") && !html.contains("@import") && !html.contains("<link"));
    let citation = record.dataset.citation.unwrap();
    let rest = html.replace("http://www.w3.org/2000/svg", "").replace(&citation.replace('/', "&#x2f;"), "");
    assert!(!rest.contains("http://") && !rest.contains("https://"), "{:?}", rest.find("http"));
}

#[test]
fn a_missing_or_wrong_atlas_costs_only_the_pictures() {
    let dir = tempfile::tempdir().unwrap();
    Sample::default().write(dir.path());
    std::fs::write(dir.path().join("thumbnails.png"), b"not a picture").unwrap();
    let files = render(dir.path()).unwrap();
    assert!(files.notes[0].contains("thumbnails.png"), "{:?}", files.notes);
    let html = std::fs::read_to_string(&files.page.path).unwrap();
    assert!(html.contains("picture atlas is not usable") && !html.contains("url(data:image/"));
    std::fs::remove_file(dir.path().join("thumbnails.png")).unwrap();
    assert!(render(dir.path()).unwrap().notes[0].contains("cannot read"));
}

#[test]
fn a_record_that_cannot_be_read_leaves_the_earlier_report() {
    let dir = tempfile::tempdir().unwrap();
    Sample { n_inputs: 60, ..Sample::default() }.write(dir.path());
    let page = render(dir.path()).unwrap().page.path;
    let before = std::fs::read(&page).unwrap();
    let record = dir.path().join("record.json");
    let text = std::fs::read_to_string(&record).unwrap();

    std::fs::write(&record, &text[..text.len() / 2]).unwrap();
    assert!(matches!(render(dir.path()), Err(ReportError::Truncated { .. })));
    std::fs::write(&record, text.replacen("\"schema\":2", "\"schema\":3", 1)).unwrap();
    assert!(matches!(render(dir.path()), Err(ReportError::Newer { found: 3, .. })));
    assert_eq!(std::fs::read(&page).unwrap(), before);
    assert!(matches!(render(Path::new("no/such/run")), Err(ReportError::NoRecord { .. })));
}

#[test]
fn a_record_that_contradicts_itself_is_refused_with_the_field() {
    let refused = |what: &str, spoil: fn(&mut RunRecord)| {
        let mut record = Sample { n_inputs: 60, ..Sample::default() }.record();
        spoil(&mut record);
        let error = render_html(&record, None).unwrap_err().to_string();
        assert!(error.contains(what) && error.contains("expected"), "{error}");
    };
    refused("inputs.labels", |r| r.inputs.labels.truncate(1));
    refused("similarity ssc_cka (biased)", |r| r.similarity[0].values.truncate(1));
    refused("row 3", |r| r.similarity[0].values[3].truncate(1));
    refused("neighbourhoods[0].layer", |r| r.neighbourhoods[0].layer = 99);
    refused("neighbourhoods[1].neighbours", |r| r.neighbourhoods[1].neighbours[0].input = 60);
    refused("class_affinity of layer conv1", |r| r.layers[0].class_affinity[0].truncate(1));
    refused("votes of layer conv1", |r| r.layers[0].votes.truncate(1));
}

#[test]
fn a_partial_run_says_so() {
    let mut record = Sample { n_inputs: 60, ..Sample::default() }.record();
    record.state = RunState::Partial;
    assert!(render_html(&record, None).unwrap().contains("This run is not complete"));
}

#[test]
fn a_value_within_the_null_band_is_shown_as_such() {
    let mut record = Sample { n_inputs: 60, ..Sample::default() }.record();
    record.layers[0].measures.insert("modularity".into(), Measured::Value(0.001));
    let html = render_html(&record, None).unwrap();
    assert!(html.contains("Within the null band: conv1."));
    assert!(html.contains("in null</span>"));
}

#[test]
fn the_lists_are_well_formed() {
    let names: Vec<&str> = PANELS.iter().map(|p| p.name).chain(FIGURES.iter().map(|f| f.name)).collect();
    for name in &names {
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{name}");
    }
    assert!(PANELS.iter().all(|p| !p.title.is_empty() && !p.summary.is_empty()));
    assert_eq!(PANELS[0].name, "overview");
}
