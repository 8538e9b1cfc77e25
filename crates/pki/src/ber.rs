//! Turns BER into DER once, at the door, so that every parser behind it may be strict.
//!
//! Accepted: indefinite lengths, lengths with more octets than needed, and octet strings sent in
//! chunks, nested or not, also under the implicit `[0]` of `EncryptedContentInfo` (RFC 5652, 6.1).
//! Not here: sorting of SETs and canonical values; what lies inside a primitive octet string is
//! opaque and is normalised by whoever opens it. Other string types in chunks are refused.

mod short;
mod write;

use std::borrow::Cow;

use thiserror::Error;

use short::is_der;
use write::{length_octets, write};

/// The identifier octets that matter here.
mod tag {
    pub(super) const OCTET_STRING: u8 = 0x04;
    pub(super) const OID: u8 = 0x06;
    pub(super) const SEQUENCE: u8 = 0x30;
    pub(super) const SET: u8 = 0x31;
    pub(super) const CONTEXT_0: u8 = 0xa0;
}

/// How much input is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most octets a message may have; checked before anything else.
    pub octets: usize,
    /// The most levels of nesting.
    pub depth: usize,
}

impl Limits {
    /// Levels of nesting no message of ours comes near.
    pub const DEPTH: usize = 32;

    /// A limit of `octets` with the usual depth.
    #[must_use]
    pub const fn of_octets(octets: usize) -> Self {
        Self { octets, depth: Self::DEPTH }
    }
}

/// Why a message is not BER that is worth reading.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum BerError {
    /// More octets than the limit.
    #[error("the message is longer than {limit} octets")]
    TooLong {
        /// The limit that was passed.
        limit: usize,
    },
    /// More levels than the limit.
    #[error("the message is nested deeper than {limit} levels")]
    TooDeep {
        /// The limit that was passed.
        limit: usize,
    },
    /// The octets end inside an element.
    #[error("the message ends in the middle of an element")]
    Truncated,
    /// Octets follow the message.
    #[error("data follows the end of the message")]
    Trailing,
    /// A reserved or absurd tag or length.
    #[error("a tag or length at octet {at} is not BER")]
    Header {
        /// Where the element starts.
        at: usize,
    },
    /// A chunk that is not an octet string, or another string type in chunks.
    #[error("a string in chunks at octet {at} is not made of octet strings")]
    Chunk {
        /// Where the element starts.
        at: usize,
    },
}

/// `input` as DER, borrowed when it is already. Takes time and memory linear in its length.
///
/// # Errors
/// [`BerError`] says what is wrong; nothing is allocated for a message over the size limit.
pub fn normalise(input: &[u8], limits: Limits) -> Result<Cow<'_, [u8]>, BerError> {
    if input.len() > limits.octets || u32::try_from(input.len()).is_err() {
        return Err(BerError::TooLong { limit: limits.octets });
    }
    if is_der(input, limits.depth) {
        return Ok(Cow::Borrowed(input));
    }
    let mut scan = Scan::new(input, limits);
    scan.run()?;
    if scan.canonical {
        return Ok(Cow::Borrowed(input));
    }
    Ok(Cow::Owned(write(input, scan.nodes)))
}

/// What the scan found, in the order of the input. A constructed element is an `Open`, its
/// contents, and a `Close`; a joined string is one whose contents are `Octets` without headers.
enum Node {
    Open { tag: Span, primitive: bool, length: usize },
    Close,
    Leaf { tag: Span, content: Span },
    Octets { content: Span },
}

#[derive(Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
}

impl Span {
    const fn len(self) -> usize {
        self.end - self.start
    }

    fn of(self, input: &[u8]) -> &[u8] {
        input.get(self.start..self.end).unwrap_or_default()
    }
}

/// A constructed element that is being read.
struct Frame {
    /// Where it ends, unless its length is indefinite.
    end: Option<usize>,
    /// Whether its contents are chunks of one octet string.
    contents: Contents,
    /// Whether it wrote an `Open` that wants a `Close`.
    closes: bool,
}

/// What the elements of a frame are, and how far they look like `EncryptedContentInfo`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Contents {
    Elements,
    Chunks,
    SequenceStart,
    AfterContentType,
    AfterAlgorithm,
}

impl Contents {
    /// Of an element that is no string in chunks.
    const fn of(tag: u8) -> Self {
        if tag == tag::SEQUENCE { Self::SequenceStart } else { Self::Elements }
    }

    /// Once `child` was read.
    const fn after(self, child: u8) -> Self {
        match (self, child) {
            (Self::Chunks, _) => Self::Chunks,
            (Self::SequenceStart, tag::OID) => Self::AfterContentType,
            (Self::AfterContentType, tag::SEQUENCE) => Self::AfterAlgorithm,
            _ => Self::Elements,
        }
    }
}

struct Header {
    tag: Span,
    first: u8,
    length: Option<usize>,
    body: usize,
    minimal: bool,
}

struct Scan<'a> {
    input: &'a [u8],
    limits: Limits,
    at: usize,
    frames: Vec<Frame>,
    nodes: Vec<Node>,
    canonical: bool,
}

impl<'a> Scan<'a> {
    fn new(input: &'a [u8], limits: Limits) -> Self {
        let nodes = Vec::with_capacity(input.len() / 8);
        Self { input, limits, at: 0, frames: Vec::new(), nodes, canonical: true }
    }

    fn run(&mut self) -> Result<(), BerError> {
        self.element()?;
        while let Some(frame) = self.frames.last() {
            match frame.end {
                Some(end) if self.at == end => self.close(),
                None if self.input.get(self.at..).is_some_and(|r| r.starts_with(&[0, 0])) => {
                    self.at += 2;
                    self.close();
                }
                _ => self.element()?,
            }
        }
        if self.at == self.input.len() { Ok(()) } else { Err(BerError::Trailing) }
    }

    fn close(&mut self) {
        if self.frames.pop().is_some_and(|frame| frame.closes) {
            self.nodes.push(Node::Close);
        }
    }

    /// Reads one element: whole if primitive, else up to its contents.
    fn element(&mut self) -> Result<(), BerError> {
        let start = self.at;
        let header = self.header()?;
        let parent = self.contents_of_parent(header.first);
        self.canonical &= header.minimal;
        self.at = header.body;
        if header.first & 0x20 == 0 {
            let length = header.length.ok_or(BerError::Header { at: start })?;
            let content = Span { start: header.body, end: header.body + length };
            self.at = content.end;
            self.nodes.push(match parent {
                Contents::Chunks if header.first != tag::OCTET_STRING => {
                    return Err(BerError::Chunk { at: start });
                }
                Contents::Chunks => Node::Octets { content },
                _ => Node::Leaf { tag: header.tag, content },
            });
            return Ok(());
        }
        if self.frames.len() >= self.limits.depth {
            return Err(BerError::TooDeep { limit: self.limits.depth });
        }
        let contents = self.contents_of(&header, parent, start)?;
        let closes = parent != Contents::Chunks;
        if closes {
            let primitive = contents == Contents::Chunks;
            self.nodes.push(Node::Open { tag: header.tag, primitive, length: 0 });
        }
        self.canonical &= contents != Contents::Chunks;
        let end = header.length.map(|length| header.body + length);
        self.frames.push(Frame { end, contents, closes });
        Ok(())
    }

    /// The parent's contents before this element; notes how much of it looks like
    /// `EncryptedContentInfo` so far.
    fn contents_of_parent(&mut self, child: u8) -> Contents {
        let Some(frame) = self.frames.last_mut() else { return Contents::Elements };
        let before = frame.contents;
        frame.contents = before.after(child);
        before
    }

    /// What the contents of a constructed element are.
    fn contents_of(
        &self,
        header: &Header,
        parent: Contents,
        start: usize,
    ) -> Result<Contents, BerError> {
        const CHUNKED_OCTETS: u8 = tag::OCTET_STRING | 0x20;
        const IMPLICIT_CONTENT: u8 = tag::CONTEXT_0;
        match header.first {
            CHUNKED_OCTETS => Ok(Contents::Chunks),
            _ if parent == Contents::Chunks => Err(BerError::Chunk { at: start }),
            IMPLICIT_CONTENT if parent == Contents::AfterAlgorithm && self.holds_chunks(header) => {
                Ok(Contents::Chunks)
            }
            // EXTERNAL and EMBEDDED PDV are constructed by nature, SEQUENCE and SET too.
            0x28 | 0x2b | tag::SEQUENCE | tag::SET => Ok(Contents::of(header.first)),
            0x20..=0x3f => Err(BerError::Chunk { at: start }),
            _ => Ok(Contents::Elements),
        }
    }

    /// Whether the first thing inside is an octet string, or there is nothing inside.
    fn holds_chunks(&self, header: &Header) -> bool {
        let empty = header.length == Some(0);
        let next = self.input.get(header.body).copied();
        empty || matches!(next, Some(0 | tag::OCTET_STRING | 0x24))
    }

    fn header(&self) -> Result<Header, BerError> {
        let start = self.at;
        let limit = match self.frames.iter().rev().find_map(|frame| frame.end) {
            Some(end) => end,
            None => self.input.len(),
        };
        let octet = |at: usize| {
            if at < limit { self.input.get(at).copied() } else { None }.ok_or(BerError::Truncated)
        };
        let malformed = BerError::Header { at: start };
        let first = octet(start)?;
        let mut at = start + 1;
        if first & 0x1f == 0x1f {
            // Four octets hold any tag number below 2^28: more than anyone has assigned.
            while octet(at)? & 0x80 != 0 {
                at += 1;
                if at - start > 4 {
                    return Err(malformed);
                }
            }
            at += 1;
        }
        if first == 0 {
            return Err(malformed);
        }
        let tag = Span { start, end: at };
        let lead = octet(at)?;
        at += 1;
        let (length, minimal) = match lead {
            0..=0x7f => (Some(usize::from(lead)), true),
            0x80 => (None, false),
            0xff => return Err(malformed),
            _ => {
                let mut length = 0usize;
                for _ in 0..(lead & 0x7f) {
                    if length >> 24 != 0 {
                        return Err(malformed);
                    }
                    length = (length << 8) | usize::from(octet(at)?);
                    at += 1;
                }
                (Some(length), length_octets(length) == 1 + usize::from(lead & 0x7f))
            }
        };
        if length.is_some_and(|length| length > limit - at) {
            return Err(BerError::Truncated);
        }
        Ok(Header { tag, first, length, body: at, minimal })
    }
}

#[cfg(test)]
mod tests;
