//! What a driver's life stands on: words of the command line, checks and waiting.

use super::os::{Kernel, EVENTS};
use crate::single::Single;
use crate::{domain, println};
use xenfront::bus::{Bus, Kind};
use xenfront::error::{Error, Result};
use xenfront::grants::Grants;
use xenfront::store::Store;
use xenfront::system::{System, SECOND};
use xenfront::text::parse_number;

/// Frames of the grant table: 512 entries each.
const GRANT_FRAMES: usize = 8;

/// The domain's grant table.
pub static GRANTS: Grants = Grants::new(&Kernel);
static STORE: Store = Store::new(&EVENTS);
/// The devices.
pub static BUS: Bus = Bus::new(&STORE, &GRANTS);

static ALL_GOOD: Single<bool> = Single::new(true);

/// What stands behind a word such as "mib=".
pub fn behind(word: &str) -> Option<&'static [u8]> {
    let mut words = domain::command_line().split(|byte| *byte == b' ');
    words.find_map(|found| found.strip_prefix(word.as_bytes()))
}

/// Whether the command line has a word.
pub fn has(word: &str) -> bool {
    behind(word).is_some_and(<[u8]>::is_empty)
}

/// The number behind a word.
pub fn number(word: &str, otherwise: u64) -> u64 {
    behind(word).and_then(parse_number).unwrap_or(otherwise)
}

/// One condition of the result; the line says yes or no.
pub fn check(what: &str, good: bool) {
    ALL_GOOD.set(ALL_GOOD.get() && good);
    println!("{what}: {}", if good { "yes" } else { "no" });
}

/// Brings up grants and xenstore, and looks for devices of these kinds.
pub fn start(kinds: &'static [&'static dyn Kind]) -> Result<()> {
    GRANTS.start(GRANT_FRAMES)?;
    STORE.start()?;
    BUS.start(kinds)
}

/// Serves the devices until the condition holds, or so many nanoseconds have passed.
pub fn until(condition: impl Fn() -> bool, nanoseconds: u64) -> bool {
    let deadline = Kernel.time().saturating_add(nanoseconds);
    loop {
        BUS.poll();
        let now = Kernel.time();
        if condition() || now >= deadline {
            return condition();
        }
        Kernel.wait(deadline.min(now + SECOND));
    }
}

/// Takes the devices down, checks that every page is the domain's own again, and says the result.
pub fn end() -> Result<()> {
    BUS.stop();
    for _ in 0..50 {
        if GRANTS.used() != 0 {
            Kernel.wait(Kernel.time() + SECOND / 10);
            GRANTS.retry();
        }
    }
    check("every grant came back", GRANTS.used() == 0);
    println!("result: {}", if ALL_GOOD.get() { "good" } else { "bad" });
    if ALL_GOOD.get() { Ok(()) } else { Err(Error::IO) }
}
