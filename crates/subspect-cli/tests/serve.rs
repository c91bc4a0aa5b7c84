//! The local viewer through its socket: what it gives, what it refuses, how it stops.
#![allow(clippy::unwrap_used)] // helpers of tests may panic

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use common::{Scratch, text};

/// A viewer at work; killed when a test fails.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(s: &Scratch, args: &[&str]) -> Self {
        let mut child = s.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().strip_prefix("http://127.0.0.1:").and_then(|l| l.strip_suffix('/'));
        Server { child, port: port.unwrap_or_else(|| panic!("no address: {line:?}")).parse().unwrap() }
    }

    /// Status and body of a request with its own headers.
    fn ask(&self, request: &str) -> (u16, Vec<u8>, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
        let head = text(&answer[..end]);
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, answer[end + 4..].to_vec(), head)
    }

    fn get(&self, name: &str) -> (u16, Vec<u8>, String) {
        self.ask(&format!("GET {name} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", self.port))
    }

    fn status(&self, name: &str) -> u16 {
        self.get(name).0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn header(bytes: &[u8]) -> serde_json::Value {
    let length = u32::from_le_bytes(bytes[..4].try_into().unwrap()) as usize;
    serde_json::from_slice(&bytes[4..4 + length]).unwrap()
}

#[test]
fn a_viewer_gives_the_page_and_its_parts_to_this_machine_only() {
    let s = Scratch::new();
    s.ok(&["demo", "--output", "d"]);
    let server = Server::start(&s, &["serve", "d"]);
    let port = server.port;

    let (status, page, head) = server.get("/");
    let page = text(&page);
    assert_eq!(status, 200);
    assert!(page.contains("\"served\":true") && page.contains("connect-src 'self'"), "{head}");
    assert!(!page.contains("explore-data\">"), "the page carries what it should ask for");
    assert!(head.contains("nosniff") && !head.to_lowercase().contains("access-control"), "{head}");

    // The run without its layers, then a layer with everything that was recorded.
    let (status, run, _) = server.get("/data/0");
    let run = header(&run);
    assert_eq!(status, 200);
    assert_eq!(run["mapped"], serde_json::json!([]));
    let layer = run["served"]["layers"][2].as_u64().unwrap();
    let (status, bytes, _) = server.get(&format!("/data/0/{layer}"));
    let part = header(&bytes);
    assert_eq!((status, &part["mapped"][0]), (200, &layer.into()));
    let n = run["ids"].as_array().unwrap().len() as u64;
    assert_eq!(part["sections"]["near_index"]["length"], n * part["n_neighbours"].as_u64().unwrap());
    assert_eq!(part["n_neighbours"], 10);
    let (status, picture, head) = server.get("/pictures/0/0.png");
    assert!(status == 200 && picture.starts_with(b"\x89PNG") && head.contains("image/png"), "{head}");

    // HEAD is GET without the body.
    let (status, body, head) = server.ask(&format!("HEAD / HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"));
    assert_eq!((status, body.len()), (200, 0));
    assert!(head.contains(&format!("Content-Length: {}", page.len())), "{head}");

    for name in [
        "/../d/record.json",
        "/record.json",
        "/data/../../d/record.json",
        "/data/1",
        "/data/0/99",
        "/%2e%2e/",
        "/pictures/0/99999.png",
    ] {
        assert_eq!(server.status(name), 404, "{name}");
    }
    let host = format!("Host: 127.0.0.1:{port}\r\n");
    let refused = [
        ("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n".to_owned(), 421),
        (format!("GET / HTTP/1.1\r\nHost: evil.example:{port}\r\n\r\n"), 421),
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), 421),
        (format!("POST / HTTP/1.1\r\n{host}Content-Length: 3\r\n\r\nabc"), 405),
        (format!("DELETE /data/0 HTTP/1.1\r\n{host}\r\n"), 405),
        ("\x01\x02\r\n\r\n".to_owned(), 400),
    ];
    for (request, status) in refused {
        let (found, body, _) = server.ask(&request);
        assert_eq!(found, status, "{request}");
        assert!(body.len() < 200, "{request}: {}", text(&body));
    }

    // A port that is taken, before and after which the viewer is still there.
    let error = s.error(&["serve", "d", "--port", &port.to_string()]);
    assert!(error.contains("is taken") && error.contains("leave --port out"), "{error}");
    assert_eq!(server.status("/"), 200);
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_viewer_as_its_user_means_it() {
    let s = Scratch::new();
    s.ok(&["demo", "--output", "d"]);
    let mut server = Server::start(&s, &["serve", "d", "--quiet"]);
    let pid = server.child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
    assert!(TcpStream::connect(("127.0.0.1", server.port)).is_err());
}

#[test]
fn what_cannot_be_served_is_said_before_there_is_an_address() {
    let s = Scratch::new();
    let error = s.error(&["serve", "nowhere"]);
    assert!(error.contains("nowhere has no record.json"), "{error}");
    assert!(s.error(&["serve", "nowhere", "--format", "csv"]).contains("no table"));
}
