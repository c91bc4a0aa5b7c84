//! As much of HTTP/1.1 (RFC 9112) as a browser of the same machine needs to look at runs: GET and HEAD, one request
//! per connection.
//!
//! Only a request that names this machine as its host is answered: a page from elsewhere whose name is made to point at
//! 127.0.0.1 (DNS rebinding) names another host, and learns nothing. No answer carries a CORS header, so pages
//! of other origins cannot read what they ask for.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use subspect_report::{Resource, Viewer};

/// Longest request head that is read.
const MAX_HEAD: usize = 16 * 1024;
/// Most headers of a request.
const MAX_HEADERS: usize = 64;
/// Most connections at a time; a browser opens six.
const MAX_CONNECTIONS: usize = 64;
/// How long a client may say nothing.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Answers until the process ends.
pub(crate) fn serve(listener: &TcpListener, viewer: &Viewer) {
    let port = listener.local_addr().map_or(0, |a| a.port());
    let open = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for stream in listener.incoming().filter_map(Result::ok) {
            if open.load(Ordering::Relaxed) >= MAX_CONNECTIONS {
                continue;
            }
            open.fetch_add(1, Ordering::Relaxed);
            let open = &open;
            scope.spawn(move || {
                // A client that has gone away needs no answer.
                let _ = converse(stream, viewer, port);
                open.fetch_sub(1, Ordering::Relaxed);
            });
        }
    });
}

fn converse(mut stream: TcpStream, viewer: &Viewer, port: u16) -> std::io::Result<()> {
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let mut head = Vec::new();
    let mut piece = [0; 4096];
    let request = loop {
        match Request::parse(&head) {
            Parsed::Whole(request) => break Some(request),
            Parsed::Broken => break None,
            Parsed::Partial if head.len() > MAX_HEAD => break None,
            Parsed::Partial => {}
        }
        match stream.read(&mut piece)? {
            0 => return Ok(()),
            n => head.extend(&piece[..n]),
        }
    };
    let is_head = request.as_ref().is_some_and(|r| r.method == "HEAD");
    let answer = request.map_or_else(|| Answer::of(400, "this is no request"), |r| r.answer(viewer, port));
    stream.write_all(answer.head().as_bytes())?;
    if !is_head {
        stream.write_all(&answer.bytes)?;
    }
    // What the client still sends is read, for a little while: closing before would lose the answer on its way.
    stream.shutdown(Shutdown::Write)?;
    stream.set_read_timeout(Some(Duration::from_millis(200)))?;
    for _ in 0..16 {
        if stream.read(&mut piece)? == 0 {
            break;
        }
    }
    Ok(())
}

/// What matters of a request.
#[derive(Debug, PartialEq, Eq)]
struct Request {
    method: String,
    target: String,
    hosts: Vec<String>,
}

enum Parsed {
    Whole(Request),
    Partial,
    Broken,
}

impl Request {
    fn parse(bytes: &[u8]) -> Parsed {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        match request.parse(bytes) {
            Ok(httparse::Status::Partial) => Parsed::Partial,
            Err(_) => Parsed::Broken,
            Ok(httparse::Status::Complete(_)) => Parsed::Whole(Request {
                method: request.method.unwrap_or_default().to_owned(),
                target: request.path.unwrap_or_default().to_owned(),
                hosts: request
                    .headers
                    .iter()
                    .filter(|h| h.name.eq_ignore_ascii_case("host"))
                    .map(|h| String::from_utf8_lossy(h.value).into_owned())
                    .collect(),
            }),
        }
    }

    /// Whether the one host that is named is this machine at this port.
    fn is_for(&self, port: u16) -> bool {
        let own = [format!("127.0.0.1:{port}"), format!("localhost:{port}")];
        matches!(&self.hosts[..], [host] if own.iter().any(|o| o.eq_ignore_ascii_case(host)))
    }

    fn answer(&self, viewer: &Viewer, port: u16) -> Answer {
        if !self.is_for(port) {
            return Answer::of(421, "this viewer answers requests to 127.0.0.1 and localhost only");
        }
        if !matches!(self.method.as_str(), "GET" | "HEAD") {
            return Answer::of(405, "this viewer only shows: GET and HEAD");
        }
        // What follows a question mark is the page's own.
        let name = self.target.split('?').next().unwrap_or_default();
        match viewer.get(name) {
            Ok(Some(Resource { content_type, bytes })) => Answer { status: 200, content_type, bytes },
            Ok(None) => Answer::of(404, "nothing has this name"),
            Err(error) => Answer::of(500, &error.to_string()),
        }
    }
}

struct Answer {
    status: u16,
    content_type: &'static str,
    bytes: Vec<u8>,
}

impl Answer {
    fn of(status: u16, text: &str) -> Self {
        Answer { status, content_type: "text/plain; charset=utf-8", bytes: format!("{text}\n").into_bytes() }
    }

    fn head(&self) -> String {
        let reason = match self.status {
            200 => "OK",
            400 => "Bad Request",
            404 => "Not Found",
            405 => "Method Not Allowed",
            421 => "Misdirected Request",
            _ => "Internal Server Error",
        };
        let allow = if self.status == 405 { "Allow: GET, HEAD\r\n" } else { "" };
        format!(
            "HTTP/1.1 {} {reason}\r\nContent-Type: {}\r\nContent-Length: {}\r\n{allow}Connection: close\r\n\
             Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\n\
             Cross-Origin-Resource-Policy: same-origin\r\nReferrer-Policy: no-referrer\r\n\r\n",
            self.status,
            self.content_type,
            self.bytes.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(text: &str) -> Request {
        match Request::parse(text.as_bytes()) {
            Parsed::Whole(request) => request,
            _ => panic!("no request: {text}"),
        }
    }

    #[test]
    fn only_this_machine_at_this_port_is_meant() {
        let is_for = |hosts: &str| request(&format!("GET / HTTP/1.1\r\n{hosts}\r\n")).is_for(8000);
        assert!(is_for("Host: 127.0.0.1:8000\r\n") && is_for("host: LocalHost:8000\r\n"));
        for other in [
            "",
            "Host: evil.example:8000\r\n",
            "Host: 127.0.0.1\r\n",
            "Host: 127.0.0.1:80\r\n",
            "Host: 127.0.0.1:8000.evil.example\r\n",
            "Host: 127.0.0.1:8000\r\nHost: evil.example\r\n",
        ] {
            assert!(!is_for(other), "{other}");
        }
    }

    #[test]
    fn a_request_is_whole_partial_or_broken() {
        assert!(matches!(Request::parse(b""), Parsed::Partial));
        assert!(matches!(Request::parse(b"GET / HTTP/1.1\r\nHo"), Parsed::Partial));
        assert!(matches!(Request::parse(b"\x16\x03\x01\x02"), Parsed::Broken));
        assert_eq!(request("HEAD /data/0?x HTTP/1.1\r\n\r\n").target, "/data/0?x");
    }
}
