//! xg_event.h

use crate::{status, EVENTS};
use core::cell::Cell;
use core::ffi::{c_int, c_void};
use core::ptr::NonNull;
use xenfront::events::{Handler, PORTS};
use xenfront::system::{Domain, Port};

type Call = unsafe extern "C" fn(*mut c_void);

/// A function and its context, for a port.
struct CHandler(Cell<Option<(Port, Call, *mut c_void)>>);

// SAFETY: one function of the frontends runs at a time.
unsafe impl Sync for CHandler {}

/// One more than ports, so that it is the table of ports that runs full.
static HANDLERS: [CHandler; PORTS + 1] = [const { CHandler(Cell::new(None)) }; PORTS + 1];
/// A port that opens is told its handler before it is known.
const UNKNOWN: Port = Port::new(u32::MAX).unwrap();

impl Handler for CHandler {
    fn event(&self, _: Port) {
        if let Some((_, call, context)) = self.0.get() {
            // SAFETY: who opened the port gave both.
            unsafe { call(context) }
        }
    }
}

fn handler_of(port: Option<Port>) -> Option<&'static CHandler> {
    HANDLERS.iter().find(|handler| handler.0.get().map(|(of, _, _)| of) == port)
}

#[no_mangle]
extern "C" fn xg_event_attach(port: u32, call: Call, context: *mut c_void) -> c_int {
    let Some(port) = Port::new(port) else { return -xenabi::XEN_EINVAL };
    let Some(handler) = handler_of(None) else { return -xenabi::XEN_ENOSPC };
    handler.0.set(Some((port, call, context)));
    // SAFETY: a static stays in place.
    let result = unsafe { EVENTS.attach(port, NonNull::from(handler)) };
    if result.is_err() {
        handler.0.set(None);
    }
    status(result)
}

#[no_mangle]
unsafe extern "C" fn xg_event_open(
    backend: u16, call: Call, context: *mut c_void, place: *mut u32,
) -> c_int {
    let Some(handler) = handler_of(None) else { return -xenabi::XEN_ENOSPC };
    handler.0.set(Some((UNKNOWN, call, context)));
    // SAFETY: a static stays in place.
    match unsafe { EVENTS.open(Domain(backend), NonNull::from(handler)) } {
        Ok(own) => {
            handler.0.set(Some((own.port(), call, context)));
            // SAFETY: the caller's to be filled.
            unsafe { *place = own.port().number() };
            core::mem::forget(own); // it is closed by its number
            0
        }
        Err(error) => {
            handler.0.set(None);
            -error.number()
        }
    }
}

#[no_mangle]
extern "C" fn xg_event_close(port: u32, end: bool) {
    let Some(port) = Port::new(port) else { return };
    EVENTS.close(port, end);
    if let Some(handler) = handler_of(Some(port)) {
        handler.0.set(None);
    }
}

#[no_mangle]
extern "C" fn xg_event_send(port: u32) {
    if let Some(port) = Port::new(port) {
        EVENTS.send(port);
    }
}

#[no_mangle]
extern "C" fn xg_event_deliver(port: u32) {
    EVENTS.deliver(port);
    crate::bus::show_all();
}

#[no_mangle]
extern "C" fn xg_event_forget() {
    EVENTS.forget();
    HANDLERS.iter().for_each(|handler| handler.0.set(None));
}

#[no_mangle]
extern "C" fn xg_event_count() -> u32 {
    EVENTS.count() as u32
}
