//! xg_console.h

use crate::{number, status, CONSOLE};
use core::cell::Cell;
use core::ffi::{c_int, c_void};

type Call = unsafe extern "C" fn(*mut c_void);

struct Input(Cell<Option<(Call, *mut c_void)>>);
// SAFETY: one function of the frontends runs at a time.
unsafe impl Sync for Input {}
static INPUT: Input = Input(Cell::new(None));

fn input() {
    if let Some((call, context)) = INPUT.0.get() {
        // SAFETY: who started the console gave both.
        unsafe { call(context) }
    }
}

#[no_mangle]
extern "C" fn xg_console_start(call: Option<Call>, context: *mut c_void) -> c_int {
    INPUT.0.set(call.map(|call| (call, context)));
    status(CONSOLE.start(Some(input)))
}

#[no_mangle]
extern "C" fn xg_console_resume() -> c_int {
    status(CONSOLE.resume())
}

#[no_mangle]
unsafe extern "C" fn xg_console_write(data: *const u8, length: usize) -> c_int {
    // SAFETY: so many bytes are there.
    number(CONSOLE.write(unsafe { core::slice::from_raw_parts(data, length) }))
}

#[no_mangle]
unsafe extern "C" fn xg_console_write_all(data: *const u8, length: usize, deadline: u64) -> c_int {
    // SAFETY: so many bytes are there.
    status(CONSOLE.write_all(unsafe { core::slice::from_raw_parts(data, length) }, deadline))
}

#[no_mangle]
unsafe extern "C" fn xg_console_read(data: *mut u8, size: usize) -> c_int {
    // SAFETY: so many bytes are there.
    number(CONSOLE.read(unsafe { core::slice::from_raw_parts_mut(data, size) }))
}
