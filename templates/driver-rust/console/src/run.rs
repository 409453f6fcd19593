//! The driver's life.

use super::os::{Kernel, EVENTS};
use xenfront::console::Console;
use xenfront::error::Result;
use xenfront::system::{System, SECOND};

/// The console.
static CONSOLE: Console = Console::new(&EVENTS);

/// Starts the console and serves it for ever; comes back with an error if it cannot start.
pub fn run() -> Result<()> {
    CONSOLE.start(None)?;
    // A daemon that reads nothing keeps nobody from going on.
    let _ = CONSOLE.write_all(b"the console's frontend runs\r\n", Kernel.time() + SECOND);
    // From here on `write` and `read` may be called; nothing must be polled.
    loop {
        Kernel.wait(Kernel.time() + SECOND);
    }
}
