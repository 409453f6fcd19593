//! The driver's life: start what it stands on, then look after it.

use super::os::{Kernel, EVENTS};
use xenfront::bus::{Bus, Kind};
use xenfront::error::Result;
use xenfront::grants::Grants;
use xenfront::store::Store;
use xenfront::system::{System, SECOND};

/// Frames of the grant table: 512 entries each.
const GRANT_FRAMES: usize = 8;

static GRANTS: Grants = Grants::new(&Kernel);
static STORE: Store = Store::new(&EVENTS);
static BUS: Bus = Bus::new(&STORE, &GRANTS);

/// Your drivers come here: a `Kind` for each kind of device, which makes a `Driver` for each device.
static KINDS: [&dyn Kind; 0] = [];

/// Serves the drivers for ever; comes back with an error if they cannot start.
pub fn run() -> Result<()> {
    GRANTS.start(GRANT_FRAMES)?;
    STORE.start()?;
    BUS.start(&KINDS)?;
    loop {
        BUS.poll();
        Kernel.wait(Kernel.time() + SECOND);
    }
}
