//! Drives a store for Faultline (docs/targets.md). Copy this file beside your driver; it needs the standard library alone.
//!
//! Implement `Store`, and let main call `drive::<YourStore>(Options::default())`. An `Err(Failure::Refused)` of `put` or
//! `delete` is for an operation that the store refused although it is well. Any other error ends the workload with exit
//! status 1; of `open` or `dump` it says that the store does not open.
#![allow(dead_code)]
use std::{env, fs::File, fs::OpenOptions, io::BufRead, io::Write, process::exit, thread, time::Duration, time::Instant};

pub enum Failure { Refused, Failed(String) }

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self { Failure::Failed(error.to_string()) }
}

pub trait Store: Sized {
    fn open(directory: &str) -> Result<Self, Failure>; // it may hold what a crash left
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), Failure>; // durable when it returns, without SYNCS
    fn delete(&mut self, key: &[u8]) -> Result<(), Failure>; // the same; the key may be absent
    fn sync(&mut self) -> Result<(), Failure> { Ok(()) } // once for Options::group operations
    fn dump(&mut self, entry: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), Failure>;
    fn check(&mut self) -> Option<String> { None } // the store's own checker, after dump: "ok", or its complaint
    fn close(self) -> Result<(), Failure> { Ok(()) } // frees locks, too: the next recovery may begin at once
}

/// `group`: operations before one sync. `max_value`: of drawn values; with 3000 a few have 64 KiB.
pub struct Options { pub group: usize, pub max_value: u64 }

impl Default for Options { fn default() -> Self { Options { group: 1, max_value: 3000 } } }

fn check<T, E: std::fmt::Display>(result: Result<T, E>, what: &str, status: i32) -> T {
    result.unwrap_or_else(|error| { eprintln!("{what}: {error}"); exit(status) })
}

fn variable(name: &str) -> String {
    check(env::var(name), &format!("{name}: run the driver with faultline run MANIFEST --scenario smoke"), 2)
}

fn number(name: &str, otherwise: u64) -> u64 {
    env::var(name).ok().filter(|text| !text.is_empty()).map_or(otherwise, |text| check(text.parse(), name, 2))
}

fn base64(data: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in data.chunks(3) {
        let n = three.iter().fold(0u32, |n, &byte| n << 8 | byte as u32) << (8 * (3 - three.len()));
        for k in 0..4 { text.push(if k > three.len() { '=' } else { DIGITS[(n >> (18 - 6 * k) & 63) as usize] as char }) }
    }
    text
}

struct Random(u64); // splitmix64
impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e3779b97f4a7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58476d1ce4e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d049bb133111eb);
        (z ^ z >> 31) % end.max(1)
    }
}

/// An operation of the workload; a delete has no value.
struct Operation { seq: u64, key: Vec<u8>, value: Option<Vec<u8>> }

impl Operation {
    /// Operation `seq`, from the seed alone.
    fn draw(seed: u64, seq: u64, max_value: u64) -> Operation {
        let mut random = Random(seed.wrapping_mul(0x2545f4914f6cdd1d).wrapping_add(seq));
        let width = number("FAULTLINE_KEY_LEN", 3).saturating_sub(1) as usize;
        let key = format!("k{:0width$}", random.below(number("FAULTLINE_KEYS", 10))).into_bytes();
        if random.below(12) == 0 { return Operation { seq, key, value: None } }
        let (kind, small) = (random.below(64), random.below(max_value));
        let size = if kind == 0 && max_value == 3000 { 65536 } else if kind < 5 { 0 } else { small };
        let size = number("FAULTLINE_VALUE_LEN", size) as usize;
        let mut value = format!("{seq} ").into_bytes();
        value.resize_with(size, || random.below(256) as u8);
        Operation { seq, key, value: Some(value) }
    }

    fn note(&self, oracle: &mut File, phase: &str) {
        let op = if self.value.is_some() { "put" } else { "del" };
        let payload = self.value.as_ref().map_or(String::new(), |value| format!(r#","payload":"{}""#, base64(value)));
        let phase = if phase.is_empty() { String::new() } else { format!(r#","phase":"{phase}""#) };
        let line = format!("{{\"op\":\"{op}\",\"seq\":{},\"key\":\"{}\"{payload}{phase}}}\n", self.seq, base64(&self.key));
        check(oracle.write_all(line.as_bytes()).and_then(|_| oracle.sync_data()), "the oracle", 2)
    }
}

fn workload<S: Store>(options: Options) -> Result<(), Failure> {
    let file = OpenOptions::new().append(true).create(true).open(variable("FAULTLINE_ORACLE"));
    let mut oracle = check(file, "the oracle", 2);
    let (seed, mut seq) = (number("FAULTLINE_SEED", 1), number("FAULTLINE_FIRST_SEQ", 1));
    let (end, mut left) = (seq + number("FAULTLINE_OPS", 100), number("FAULTLINE_ACKS", u64::MAX));
    let (began, seconds) = (Instant::now(), Duration::from_secs(number("FAULTLINE_DURATION", 1 << 30)));
    let mut store = S::open(&variable("FAULTLINE_DIR"))?;
    while seq < end && began.elapsed() < seconds {
        let (mut waiting, mut result) = (Vec::new(), Ok(()));
        while seq < end && result.is_ok() && waiting.len() < options.group.max(1) {
            let it = Operation::draw(seed, seq, options.max_value);
            it.note(&mut oracle, "begin");
            seq += 1;
            match if let Some(value) = &it.value { store.put(&it.key, value) } else { store.delete(&it.key) } {
                Err(Failure::Refused) => it.note(&mut oracle, "failed"),
                answer => { result = answer; waiting.push(it) }
            }
        }
        if result.is_ok() { result = store.sync() }
        for it in waiting {
            while result.is_ok() && left == 0 { thread::sleep(Duration::from_secs(3600)) } // wait to be killed
            left = left.saturating_sub(1);
            it.note(&mut oracle, if result.is_ok() { "" } else { "failed" });
        }
        result?
    }
    store.close()
}

/// The whole dump, or the error alone. The store is closed before.
fn recover<S: Store>(directory: &str) -> String {
    let mut lines = String::new();
    let mut add = |key: &[u8], value: &[u8]| {
        lines += &format!("{{\"key\":\"{}\",\"payload\":\"{}\"}}\n", base64(key), base64(value))
    };
    let line = |name: &str, text: &str| format!("{{\"{name}\":\"{}\"}}\n", text.escape_default().to_string().replace('\\', "/"));
    match S::open(directory).and_then(|mut store| { store.dump(&mut add)?; let said = store.check(); store.close()?; Ok(said) }) {
        Ok(said) => lines + &said.map_or(String::new(), |said| line("check", &said)) + "{\"end\":true}\n",
        Err(Failure::Refused) => line("error", "refused"),
        Err(Failure::Failed(why)) => line("error", &why),
    }
}

/// Runs the command that the first argument names, `workload` or `recover`; other arguments are yours.
pub fn drive<S: Store>(options: Options) {
    let answer = |directory: &str| {
        let mut output = std::io::stdout().lock();
        if output.write_all(recover::<S>(directory).as_bytes()).and_then(|_| output.flush()).is_err() { exit(1) }
    };
    match (env::args().nth(1).as_deref(), env::var("FAULTLINE_DIR")) {
        (Some("workload"), _) => match workload::<S>(options) {
            Ok(()) => exit(0),
            Err(Failure::Refused) => check(Err("refused"), "the store failed", 1),
            Err(Failure::Failed(why)) => check(Err(why), "the store failed", 1),
        },
        (Some("recover"), Ok(once)) => answer(&once),
        (Some("recover"), _) => std::io::stdin().lock().lines().for_each(|line| answer(&check(line, "the input", 2))),
        _ => check(Err("needs the argument workload or recover"), "the driver", 2),
    }
}
