//! Every reader of foreign octets survives seeded mutations of real messages.
//!
//! A fixed number of rounds, the same on every machine; `cargo fuzz` goes on from here.

use std::fs;
use std::path::{Path, PathBuf};

#[path = "../../../fuzz/src/readers.rs"]
#[expect(unreachable_pub, reason = "public in the crate of the fuzz targets")]
mod readers;

/// Mutations of each seed for each reader.
const ROUNDS: u32 = 60;

/// What a seed is by the end of its name, and the reader that must take it unchanged.
const KINDS: &[(&str, &str)] = &[
    (".pkcs-req.der", "scep_message"),
    (".renewal-req.der", "scep_message"),
    (".cert-rep.der", "scep_reply"),
    (".crt.der", "scep_authority"),
    (".ocsp.der", "ocsp_request"),
    (".ocsp-response.der", "ocsp_response"),
    (".csr.der", "request"),
    (".crt.der", "certificate"),
    (".crl.der", "crl"),
    (".getcacaps.http", "scep_query"),
    (".pkcs-req.http", "scep_query"),
    (".pem", "text"),
];

/// A small generator of its own (xorshift64*), so that a failure repeats everywhere.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound.max(1)).expect("a length");
        usize::try_from(self.next() % bound).expect("below a length")
    }
}

struct Seed {
    name: String,
    octets: Vec<u8>,
}

#[test]
fn every_reader_takes_the_seeds_of_its_kind() {
    let mut taken = 0;
    for seed in seeds() {
        for (_, wanted) in KINDS.iter().filter(|(end, _)| seed.name.ends_with(end)) {
            let (_, read) = readers::READERS.iter().find(|(name, _)| name == wanted).expect(wanted);
            assert!(read(&seed.octets), "{} is not taken by {wanted}", seed.name);
            taken += 1;
        }
    }
    assert!(taken > 40, "only {taken} seeds");
}

#[test]
fn every_reader_survives_seeded_mutations() {
    let seeds = seeds();
    let mut chance = Chance(0x1a2b_3c4d_5e6f_7081);
    for (index, seed) in seeds.iter().enumerate() {
        let other = &seeds[(index + 7) % seeds.len()];
        for (_, read) in readers::READERS {
            for _ in 0..ROUNDS {
                read(&mutated(&mut chance, &seed.octets, &other.octets));
            }
        }
    }
}

#[test]
fn every_reader_survives_every_truncation_of_one_seed_a_kind() {
    for (end, wanted) in KINDS {
        let seed = seeds().into_iter().find(|seed| seed.name.ends_with(end)).expect(end);
        let (_, read) = readers::READERS.iter().find(|(name, _)| name == wanted).expect(wanted);
        for length in 0..seed.octets.len() {
            let taken = read(&seed.octets[..length]);
            let text = ["text", "scep_query"].contains(wanted);
            assert!(!taken || text, "{wanted} takes {length} octets of {}", seed.name);
        }
    }
}

/// One to four changes: bits, octets, lengths, pieces lost, doubled, or taken from another seed.
fn mutated(chance: &mut Chance, seed: &[u8], other: &[u8]) -> Vec<u8> {
    let mut octets = seed.to_vec();
    for _ in 0..=chance.below(4) {
        let at = chance.below(octets.len());
        match chance.below(8) {
            0 => flip(&mut octets, at, 1 << chance.below(8)),
            1 => set(&mut octets, at, &[0xff, 0x00, 0x7f, 0x80, 0x30, 0xa0][..], chance),
            2 => lengthen(&mut octets, chance),
            3 => octets.truncate(at),
            4 => drop(
                octets.drain(at..(at + chance.below(32)).min(seed.len()).min(octets.len()).max(at)),
            ),
            5 => {
                let piece = octets[at..(at + chance.below(64)).min(octets.len())].to_vec();
                octets.splice(at..at, piece);
            }
            6 => {
                let from = chance.below(other.len());
                let piece = other[from..(from + chance.below(256)).min(other.len())].to_vec();
                octets.splice(at..at, piece);
            }
            _ => {
                let end = (at + chance.below(16)).min(octets.len());
                for octet in &mut octets[at..end] {
                    *octet = chance.next().to_be_bytes()[0];
                }
            }
        }
    }
    octets
}

fn flip(octets: &mut [u8], at: usize, bit: u8) {
    if let Some(octet) = octets.get_mut(at) {
        *octet ^= bit;
    }
}

fn set(octets: &mut [u8], at: usize, values: &[u8], chance: &mut Chance) {
    if let Some(octet) = octets.get_mut(at) {
        *octet = values[chance.below(values.len())];
    }
}

/// Changes an octet that looks like a length: after a tag that nests, where parsers break.
fn lengthen(octets: &mut [u8], chance: &mut Chance) {
    let nests = |pair: &[u8]| matches!(pair[0], 0x30 | 0x31 | 0xa0..=0xa3 | 0x04 | 0x03 | 0x24);
    let places: Vec<usize> = (1..octets.len()).filter(|&at| nests(&octets[at - 1..=at])).collect();
    if let Some(&at) = places.get(chance.below(places.len())) {
        octets[at] = [0x80, 0x81, 0x82, 0x84, 0x88, 0xff, 0x00, 0x7f][chance.below(8)];
    }
}

fn seeds() -> Vec<Seed> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../interop/fixtures");
    let mut files: Vec<PathBuf> = Vec::new();
    for folder in fs::read_dir(root).expect("the fixtures") {
        let folder = folder.expect("a folder").path();
        if folder.is_dir() {
            let inside = fs::read_dir(folder).expect("a client's fixtures");
            files.extend(inside.map(|file| file.expect("a file").path()));
        }
    }
    files.sort();
    let ends = ["der", "pem", "http"];
    let wanted =
        |file: &PathBuf| file.extension().is_some_and(|end| ends.iter().any(|e| end == *e));
    let read = |file: PathBuf| {
        let octets = fs::read(&file).expect("a fixture");
        let name = file.display().to_string();
        let is_request = file.extension().is_some_and(|end| end == "http");
        Seed { octets: if is_request { tail_of_target(&octets) } else { octets }, name }
    };
    files.into_iter().filter(wanted).map(read).collect()
}

/// The query of a request's target, or the last part of its path.
fn tail_of_target(request: &[u8]) -> Vec<u8> {
    let target = request.split(|&octet| octet == b' ').nth(1).expect("a request line");
    let tail = target.rsplit(|&octet| octet == b'?' || octet == b'/').next();
    tail.expect("a target").to_vec()
}
