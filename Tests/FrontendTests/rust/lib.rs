//! The C interface (`Sources/Frontends/include`) over the frontends in Rust, so that the tests, the
//! models and the guests that are written in C drive these as they drive those. What is in C alone
//! (control, balloon, keyboard, screen) runs over it as well: drivers in C on the bus in Rust.
#![no_std]
#![deny(unsafe_op_in_unsafe_fn)]
#![allow(non_upper_case_globals)]

mod block;
mod bus;
mod console;
mod events;
mod grants;
mod layout;
mod net;
mod os;
mod store;

use xenfront::bus::Bus;
use xenfront::console::Console;
use xenfront::error::Result;
use xenfront::events::Events;
use xenfront::grants::Grants;
use xenfront::store::Store;

static EVENTS: Events = Events::new(&os::CSystem);
static GRANTS: Grants = Grants::new(&os::CSystem);
static STORE: Store = Store::new(&EVENTS);
static BUS: Bus = Bus::new(&STORE, &GRANTS);
static CONSOLE: Console = Console::new(&EVENTS);

/// As the functions in C answer.
fn number<T: TryInto<i32>>(result: Result<T>) -> i32 {
    match result {
        Ok(value) => value.try_into().unwrap_or(i32::MAX),
        Err(error) => -error.number(),
    }
}

fn status(result: Result<()>) -> i32 {
    number(result.map(|()| 0))
}
