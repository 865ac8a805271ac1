//! Where two servers answer the same script differently, and how to show it.

use std::fmt;
use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use fastrand::Rng;

use crate::normal::Part;
use crate::replay::{self, Ending, Reply};
use crate::script::{Manner, Script};

/// A server that takes part in a comparison.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// What to call it in a report.
    pub name: &'a str,
    /// Where it listens.
    pub address: SocketAddr,
}

/// The first difference between two servers' replies to a script.
#[derive(Debug)]
pub struct Difference {
    script: Script,
    how: &'static str,
    /// The step, if it was run step by step.
    step: Option<usize>,
    names: [String; 2],
    replies: [Option<Reply>; 2],
}

/// Runs the script against both, flushed before, in every manner it allows.
///
/// # Errors
/// The first difference.
pub fn compare(
    script: &Script,
    sides: [Side<'_>; 2],
    random: &mut Rng,
) -> Result<(), Box<Difference>> {
    if script.manner != Manner::OneWrite {
        compare_stepwise(script, sides)?;
    }
    if script.manner != Manner::Stepwise && !script.needs_replies() {
        compare_streams(script, sides, None)?;
        if !script.counts_after_reading() {
            compare_streams(script, sides, Some(random))?;
        }
    }
    Ok(())
}

/// The first side is the reference: what it never answers is a mistake in the script.
fn compare_stepwise(script: &Script, sides: [Side<'_>; 2]) -> Result<(), Box<Difference>> {
    let now = unix_time();
    let [ours, theirs] = sides.map(|side| {
        replay::flush(side.address);
        replay::stepwise(side.address, script, now)
    });
    assert!(
        ours.iter().all(|reply| reply.ending != Ending::Silent),
        "{} owes a reply, so the script is wrong or {:?} is the manner to run it:\n{script}",
        sides[0].name,
        Manner::OneWrite,
    );
    let Some(step) =
        (0..ours.len().max(theirs.len())).find(|&step| ours.get(step) != theirs.get(step))
    else {
        return Ok(());
    };
    Err(Box::new(Difference {
        script: script.clone(),
        how: "step by step",
        step: Some(step),
        names: sides.map(|side| side.name.to_owned()),
        replies: [ours.get(step).cloned(), theirs.get(step).cloned()],
    }))
}

fn compare_streams(
    script: &Script,
    sides: [Side<'_>; 2],
    random: Option<&mut Rng>,
) -> Result<(), Box<Difference>> {
    let now = unix_time();
    let how = if random.is_some() {
        "in random pieces"
    } else {
        "in one write"
    };
    // Both get the same pieces.
    let pieces = random.map(Rng::fork);
    let replies = sides.map(|side| {
        replay::flush(side.address);
        replay::one_stream(side.address, script, now, pieces.clone().as_mut())
    });
    assert_ne!(
        replies[0].ending,
        Ending::Silent,
        "{} owes a reply:\n{script}",
        sides[0].name
    );
    if replies[0] == replies[1] {
        return Ok(());
    }
    Err(Box::new(Difference {
        script: script.clone(),
        how,
        step: None,
        names: sides.map(|side| side.name.to_owned()),
        replies: replies.map(Some),
    }))
}

/// Leaves out steps, one by one, as long as the rest still differs.
pub fn shrink(
    difference: Box<Difference>,
    sides: [Side<'_>; 2],
    random: &mut Rng,
) -> Box<Difference> {
    let mut smallest = difference;
    let mut index = smallest.script.steps.len();
    while index > 0 {
        index -= 1;
        let mut shorter = smallest.script.clone();
        if shorter.steps.len() < 2 || index >= shorter.steps.len() {
            continue;
        }
        shorter.steps.remove(index);
        if let Err(still) = compare(&shorter, sides, random) {
            smallest = still;
        }
    }
    smallest
}

fn unix_time() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs().cast_signed())
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "the replies differ, sent {}:", self.how)?;
        writeln!(formatter, "%script {}", self.script.title)?;
        for (index, step) in self.script.steps.iter().enumerate() {
            let mark = if self.step == Some(index) {
                "-->"
            } else {
                "   "
            };
            for line in &step.source {
                writeln!(formatter, "{mark} {line}")?;
            }
            writeln!(formatter)?;
        }
        let [ours, theirs] = self.replies.each_ref().map(shown_lines);
        let same = ours
            .iter()
            .zip(&theirs)
            .take_while(|(a, b)| a.1 == b.1)
            .count();
        for (name, lines) in self.names.iter().zip([&ours, &theirs]) {
            writeln!(formatter, "{name} answers:")?;
            let from = same.saturating_sub(CONTEXT_LINES);
            if from > 0 {
                writeln!(formatter, "      ... {from} lines as the other")?;
            }
            for (index, (text, _)) in lines.iter().enumerate().skip(from).take(2 * CONTEXT_LINES) {
                let mark = if index == same { "-->" } else { "   " };
                writeln!(formatter, "  {mark} {text}")?;
            }
        }
        Ok(())
    }
}

const CONTEXT_LINES: usize = 6;
const LONGEST_SHOWN: usize = 300;

/// A reply's lines as text, each with what makes it equal to the other side's.
fn shown_lines(reply: &Option<Reply>) -> Vec<(String, Vec<Part>)> {
    let Some(reply) = reply else {
        return vec![(
            "(the connection had ended before this step)".into(),
            Vec::new(),
        )];
    };
    let mut lines: Vec<(String, Vec<Part>)> = reply
        .lines
        .iter()
        .map(|parts| {
            let mut text: String = parts.iter().map(Part::to_string).collect();
            if text.len() > LONGEST_SHOWN {
                text = format!("{}... ({} characters)", &text[..LONGEST_SHOWN], text.len());
            }
            (text, parts.clone())
        })
        .collect();
    let ending = match reply.ending {
        Ending::Ready => "(ready)",
        Ending::Closed => "(closed)",
        Ending::Silent => "(silent: no further reply within the deadline)",
    };
    lines.push((ending.into(), vec![Part::Exact(ending.into())]));
    lines
}
