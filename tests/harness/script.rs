//! Command scripts: readable text that becomes the exact bytes to send.
//!
//! A line is a line to send: it gets `\r\n` at its end. An empty line ends a step; the replies to a step
//! are read before the next one is sent. Lines beginning with `#` are comments. A file looks like this:
//!
//! ```text
//! %server -I 2m                  further arguments of the servers this file runs against
//! %script a value that looks like a reply
//! set key 0 0 5
//! END\r\n
//!
//! get key
//! ```
//!
//! `%only stepwise` or `%only one-write` after `%script` limits how the script is run. `%until END` before
//! a step says that its replies end with the line `END`; without it they end where a request sent after
//! the step is answered, which a few commands do not stand. `%memcached` gives further arguments to real
//! memcached alone, to switch off background work that makes its answers depend on timing.
//!
//! Inside a line:
//!
//! | written | sent |
//! |---|---|
//! | `\r` `\n` `\\` `\{` `\x1b` | that byte |
//! | `{}` | nothing; alone on a line, an empty line |
//! | `{abc*3}` | `abcabcabc` |
//! | `{random 100}` | 100 bytes of any value, always the same |
//! | `{every byte}` | the 256 byte values in order |
//! | `{cas}` `{cas+1}` `{cas-1}` | the cas id seen last in a reply, plus or minus something |
//! | `{cas#2}` | the second distinct cas id seen in this script |
//! | `{now}` `{now+100}` `{now-5}` | the time as a Unix time stamp, plus or minus seconds |
//! | `{no line end}` | leaves out the line's `\r\n` |

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use fastrand::Rng;

/// A file of scripts and the server they need.
#[derive(Debug)]
pub struct ScriptFile {
    /// Where it was read from.
    pub path: PathBuf,
    /// Further command line arguments of the servers it is run against.
    pub server_arguments: Vec<String>,
    /// Further command line arguments of real memcached alone.
    pub memcached_arguments: Vec<String>,
    /// The scripts, in the file's order.
    pub scripts: Vec<Script>,
}

/// A sequence of steps for one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// What it is about.
    pub title: String,
    /// How it may be run.
    pub manner: Manner,
    /// What to send, one request or several pipelined ones at a time.
    pub steps: Vec<Step>,
}

/// How a script may be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Step by step, and as one stream.
    Any,
    /// Only step by step: later steps depend on earlier replies, or on how bytes arrive.
    Stepwise,
    /// Only as one stream: it ends where nothing can tell that a reply is complete.
    OneWrite,
}

/// What is sent at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The lines as written.
    pub source: Vec<String>,
    /// The line that ends its replies, if that is known.
    pub until: Option<String>,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Bytes(Vec<u8>),
    LastCas { plus: i64 },
    SeenCas { number: usize },
    Now { plus: i64 },
}

/// What the parts of a line that are only known during a run stand for.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The run's time, in seconds since 1970.
    pub now: i64,
    /// The distinct cas ids seen in replies, in the order of their appearance.
    pub cas_seen: &'a [u64],
    /// The cas id seen last, 0 if none.
    pub cas_last: u64,
}

impl ScriptFile {
    /// Reads and parses a file, or fails the test.
    pub fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path)
            .unwrap_or_else(|error| panic!("read {}: {error}", path.display()));
        let mut file =
            Parser::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        path.clone_into(&mut file.path);
        file
    }

    /// The arguments real memcached is started with.
    pub fn all_arguments(&self) -> Vec<&str> {
        self.server_arguments
            .iter()
            .chain(&self.memcached_arguments)
            .map(String::as_str)
            .collect()
    }
}

impl Script {
    /// Parses a single script's steps.
    ///
    /// # Errors
    /// The line and what is wrong with it.
    pub fn parse(title: &str, text: &str) -> Result<Self, String> {
        Ok(Parser::parse(&format!("%script {title}\n{text}"))?
            .scripts
            .swap_remove(0))
    }

    /// Whether a counter follows a read.
    ///
    /// memcached changes a counter in place, padded to its earlier length, unless a reply still holds the
    /// item; one does if the read arrived in the same packet. So its answers depend on how the bytes are
    /// cut.
    pub fn counts_after_reading(&self) -> bool {
        let lines = self.steps.iter().flat_map(|step| &step.source);
        let words = lines.map(|line| line.trim_start().split(' ').next().unwrap_or_default());
        let mut after_read =
            words.skip_while(|word| !["get", "gets", "gat", "gats", "mg"].contains(word));
        after_read.any(|word| ["incr", "decr", "ma"].contains(&word))
    }

    /// Whether its bytes depend on earlier replies.
    pub fn needs_replies(&self) -> bool {
        let dependent =
            |piece: &Piece| matches!(piece, Piece::LastCas { .. } | Piece::SeenCas { .. });
        self.steps
            .iter()
            .any(|step| step.pieces.iter().any(dependent))
    }
}

impl Step {
    fn parse(lines: Vec<String>, until: Option<String>) -> Result<Self, String> {
        let mut pieces = Vec::new();
        for line in &lines {
            parse_line(line, &mut pieces).map_err(|reason| format!("{line:?}: {reason}"))?;
        }
        Ok(Self {
            source: lines,
            until,
            pieces,
        })
    }

    /// The bytes to send.
    pub fn bytes(&self, context: Context<'_>) -> Vec<u8> {
        let mut bytes = Vec::new();
        for piece in &self.pieces {
            let number = match piece {
                Piece::Bytes(literal) => {
                    bytes.extend_from_slice(literal);
                    continue;
                }
                Piece::LastCas { plus } => context.cas_last.wrapping_add_signed(*plus).to_string(),
                Piece::SeenCas { number } => context
                    .cas_seen
                    .get(number - 1)
                    .copied()
                    .unwrap_or(0)
                    .to_string(),
                Piece::Now { plus } => (context.now + plus).to_string(),
            };
            bytes.extend_from_slice(number.as_bytes());
        }
        bytes
    }
}

impl fmt::Display for Script {
    /// The script as a file has it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "%script {}", self.title)?;
        for (index, step) in self.steps.iter().enumerate() {
            if index > 0 {
                writeln!(formatter)?;
            }
            if let Some(until) = &step.until {
                writeln!(formatter, "%until {until}")?;
            }
            for line in &step.source {
                writeln!(formatter, "{line}")?;
            }
        }
        Ok(())
    }
}

/// Reads a file line by line.
struct Parser {
    file: ScriptFile,
    /// The lines of the step under way.
    lines: Vec<String>,
    until: Option<String>,
}

impl Parser {
    fn parse(text: &str) -> Result<ScriptFile, String> {
        let mut parser = Self {
            file: ScriptFile {
                path: PathBuf::new(),
                server_arguments: Vec::new(),
                memcached_arguments: Vec::new(),
                scripts: Vec::new(),
            },
            lines: Vec::new(),
            until: None,
        };
        // The empty line at the end ends the last step.
        for (number, line) in text.lines().chain([""]).enumerate() {
            parser
                .line(line)
                .map_err(|reason| format!("line {}: {reason}", number + 1))?;
        }
        Ok(parser.file)
    }

    fn line(&mut self, line: &str) -> Result<(), String> {
        if line.starts_with('#') {
            return Ok(());
        }
        if !line.is_empty() && !line.starts_with('%') {
            self.lines.push(line.to_owned());
            return Ok(());
        }
        if !self.lines.is_empty() {
            let step = Step::parse(std::mem::take(&mut self.lines), self.until.take())?;
            self.script()?.steps.push(step);
        }
        match line.split_once(' ').unwrap_or((line, "")) {
            ("", _) => {}
            ("%server", arguments) => self.file.server_arguments = words(arguments),
            ("%memcached", arguments) => self.file.memcached_arguments = words(arguments),
            ("%script", title) => self.file.scripts.push(Script {
                title: title.into(),
                manner: Manner::Any,
                steps: Vec::new(),
            }),
            ("%only", "stepwise") => self.script()?.manner = Manner::Stepwise,
            ("%only", "one-write") => self.script()?.manner = Manner::OneWrite,
            ("%until", end) => self.until = Some(end.to_owned()),
            _ => return Err(format!("unknown directive {line:?}")),
        }
        Ok(())
    }

    fn script(&mut self) -> Result<&mut Script, String> {
        self.file
            .scripts
            .last_mut()
            .ok_or_else(|| "comes before any %script".into())
    }
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn parse_line(line: &str, pieces: &mut Vec<Piece>) -> Result<(), String> {
    let mut literal = Vec::new();
    let mut line_end: &[u8] = b"\r\n";
    let mut rest = line;
    while let Some(open) = placeholder_start(rest) {
        literal.extend(unescape(&rest[..open])?);
        let (inside, after) = rest[open + 1..].split_once('}').ok_or("`{` without `}`")?;
        rest = after;
        match placeholder(inside)? {
            Placeholder::Bytes(bytes) => literal.extend(bytes),
            Placeholder::NoLineEnd => line_end = b"",
            Placeholder::Later(piece) => {
                pieces.push(Piece::Bytes(std::mem::take(&mut literal)));
                pieces.push(piece);
            }
        }
    }
    literal.extend(unescape(rest)?);
    literal.extend_from_slice(line_end);
    pieces.push(Piece::Bytes(literal));
    Ok(())
}

/// Where the first `{` without a backslash before it stands.
fn placeholder_start(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let found = byte == b'{' && !escaped;
        escaped = byte == b'\\' && !escaped;
        found
    })
}

/// Text with its escapes replaced.
fn unescape(mut rest: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    while let Some(character) = rest.chars().next() {
        rest = &rest[character.len_utf8()..];
        match character {
            '\\' => bytes.push(escape(&mut rest)?),
            _ => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Ok(bytes)
}

/// The byte that the escape at the start of `rest`, after its backslash, stands for.
fn escape(rest: &mut &str) -> Result<u8, String> {
    let mut characters = rest.chars();
    let byte = match characters.next() {
        Some('r') => b'\r',
        Some('n') => b'\n',
        Some('\\') => b'\\',
        Some('{') => b'{',
        Some('x') => {
            let digits = rest.get(1..3).ok_or("`\\x` needs two digits")?;
            *rest = &rest[3..];
            return u8::from_str_radix(digits, 16).map_err(|error| error.to_string());
        }
        other => return Err(format!("unknown escape {other:?}")),
    };
    *rest = characters.as_str();
    Ok(byte)
}

enum Placeholder {
    Bytes(Vec<u8>),
    Later(Piece),
    NoLineEnd,
}

fn placeholder(inside: &str) -> Result<Placeholder, String> {
    let unknown = || format!("unknown placeholder {inside:?}");
    if let Some((repeated, times)) = inside.rsplit_once('*') {
        let times: usize = times.parse().map_err(|_| unknown())?;
        return Ok(Placeholder::Bytes(unescape(repeated)?.repeat(times)));
    }
    let (name, argument) = match inside.find([' ', '+', '-', '#']) {
        Some(at) => inside.split_at(at),
        None => (inside, ""),
    };
    // `-5` parses as it is, `+5` too.
    let plus = || {
        if argument.is_empty() {
            Ok(0)
        } else {
            argument.parse().map_err(|_| unknown())
        }
    };
    Ok(match (name, argument) {
        ("", "") => Placeholder::Bytes(Vec::new()),
        ("no", " line end") => Placeholder::NoLineEnd,
        ("every", " byte") => Placeholder::Bytes((0..=255).collect()),
        ("random", length) => {
            let length: usize = length.trim_start().parse().map_err(|_| unknown())?;
            let mut bytes = vec![0; length];
            Rng::with_seed(length as u64).fill(&mut bytes);
            Placeholder::Bytes(bytes)
        }
        ("cas", number) if number.starts_with('#') => {
            let number: usize = number[1..].parse().map_err(|_| unknown())?;
            if number == 0 {
                return Err("cas ids are counted from 1".into());
            }
            Placeholder::Later(Piece::SeenCas { number })
        }
        ("cas", _) => Placeholder::Later(Piece::LastCas { plus: plus()? }),
        ("now", _) => Placeholder::Later(Piece::Now { plus: plus()? }),
        _ => return Err(unknown()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTEXT: Context<'_> = Context {
        now: 1000,
        cas_seen: &[7, 9],
        cas_last: 9,
    };

    fn bytes_of(line: &str) -> Vec<u8> {
        Step::parse(vec![line.to_owned()], None)
            .unwrap()
            .bytes(CONTEXT)
    }

    #[test]
    fn a_file_has_arguments_scripts_and_steps() {
        let text = "# about\n%server -I 2m\n\n%script one\nset k 0 0 1\nv\n\n%until END\nget k\n\
                    %script two\n%only one-write\nmn\n";
        let file = Parser::parse(text).unwrap();
        let [one, two] = &file.scripts[..] else {
            panic!("{file:?}")
        };
        assert_eq!(file.server_arguments, ["-I", "2m"]);
        assert_eq!(one.steps.len(), 2);
        assert_eq!(one.steps[0].bytes(CONTEXT), b"set k 0 0 1\r\nv\r\n");
        assert_eq!(one.steps[0].until, None);
        assert_eq!(one.steps[1].until.as_deref(), Some("END"));
        assert_eq!(two.manner, Manner::OneWrite);
        assert_eq!(
            one.to_string(),
            "%script one\nset k 0 0 1\nv\n\n%until END\nget k\n"
        );
    }

    #[test]
    fn placeholders_and_escapes_become_bytes() {
        assert_eq!(bytes_of(r"a\r\n\x00\\\{"), b"a\r\n\x00\\{\r\n");
        assert_eq!(bytes_of("{}"), b"\r\n");
        assert_eq!(bytes_of("get {ab*3} c{no line end}"), b"get ababab c");
        assert_eq!(bytes_of(r"{mn\r\n*2}get a"), b"mn\r\nmn\r\nget a\r\n");
        assert_eq!(
            bytes_of("{cas} {cas+1} {cas-1} {cas#1} {cas#3}"),
            b"9 10 8 7 0\r\n"
        );
        assert_eq!(bytes_of("{now} {now+5} {now-5}"), b"1000 1005 995\r\n");
        assert_eq!(bytes_of("{every byte}").len(), 258);
        assert_eq!(bytes_of("{random 300}"), bytes_of("{random 300}"));
        assert_eq!(bytes_of("{random 300}").len(), 302);
    }

    #[test]
    fn mistakes_are_reported_with_their_line() {
        for (text, reason) in [
            ("get k\n", "line 2: comes before any %script"),
            ("%script x\nget {oops}\n", "unknown placeholder"),
            ("%script x\nget {k\n", "`{` without `}`"),
            ("%script x\nget \\q\n", "unknown escape"),
            ("%scripts x\n", "unknown directive"),
            ("%script x\n%only sometimes\n", "unknown directive"),
        ] {
            let error = Parser::parse(text).unwrap_err();
            assert!(error.contains(reason), "{text:?}: {error}");
        }
    }
}
