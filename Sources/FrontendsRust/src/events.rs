//! Event channels: ports to backends, and who handles them. A table from ports to handlers, probed from
//! the port's own place on, so that any port number works; an upcall looks at one entry in nearly every
//! case.

use crate::error::{Error, Result};
use crate::system::{Domain, Port, System};
use core::cell::Cell;
use core::ptr::NonNull;

/// Ports that the frontends can have at a time.
pub const PORTS: usize = 256;

/// Who handles a port's events.
pub trait Handler {
    /// Runs in event context.
    fn event(&self, port: Port);
}

#[derive(Clone, Copy)]
struct Channel {
    port: Port,
    handler: NonNull<dyn Handler>,
}

/// All ports of the frontends.
pub struct Events {
    /// What they are opened by.
    pub system: &'static dyn System,
    channels: [Cell<Option<Channel>>; PORTS],
    used: Cell<usize>,
}

// SAFETY: no two functions of the frontends run at the same time: whoever wrote `System` promised that.
unsafe impl Sync for Events {}

impl Events {
    /// None yet.
    pub const fn new(system: &'static dyn System) -> Self {
        Events { system, channels: [const { Cell::new(None) }; PORTS], used: Cell::new(0) }
    }

    fn find(&self, wanted: Option<Port>, port: Port) -> Option<&Cell<Option<Channel>>> {
        let start = port.number() as usize % PORTS;
        let mut places = self.channels[start..].iter().chain(&self.channels[..start]);
        places.find(|place| place.get().map(|channel| channel.port) == wanted)
    }

    /// Hands a port's events to `handler`; the port is one that the toolstack has made. Driver context.
    ///
    /// # Safety
    /// The handler stays in place until `close`.
    pub unsafe fn attach(&self, port: Port, handler: NonNull<dyn Handler>) -> Result<()> {
        if self.find(Some(port), port).is_some() {
            return Err(Error::INVALID);
        }
        let place = self.find(None, port).ok_or(Error::NO_SPACE)?;
        place.set(Some(Channel { port, handler }));
        self.used.set(self.used.get() + 1);
        self.system.port_open(port).inspect_err(|_| {
            place.set(None);
            self.used.set(self.used.get() - 1);
        })
    }

    /// Makes a port that the backend's domain may bind. Driver context.
    ///
    /// # Safety
    /// The handler stays in place until the port is dropped.
    pub unsafe fn open(
        &'static self, backend: Domain, handler: NonNull<dyn Handler>,
    ) -> Result<OwnPort> {
        let mut unbound = xenabi::evtchn_alloc_unbound {
            dom: xenabi::DOMID_SELF as u16,
            remote_dom: backend.0,
            port: 0,
        };
        // SAFETY: the argument is what the command expects.
        Error::check(unsafe {
            self.system.event_op(xenabi::EVTCHNOP_alloc_unbound, (&raw mut unbound).cast())
        })?;
        let port = Port::new(unbound.port).ok_or(Error::IO)?;
        // SAFETY: the caller's promise.
        if let Err(error) = unsafe { self.attach(port, handler) } {
            self.end(port);
            return Err(error);
        }
        Ok(OwnPort { events: self, port })
    }

    fn end(&self, port: Port) {
        let mut close = xenabi::evtchn_close { port: port.number() };
        // SAFETY: the argument is what the command expects.
        unsafe { self.system.event_op(xenabi::EVTCHNOP_close, (&raw mut close).cast()) };
    }

    /// Ends the handler, and the port as well if `end`; a port that has none is left alone. Driver
    /// context.
    pub fn close(&self, port: Port, end: bool) {
        let Some(place) = self.find(Some(port), port) else { return };
        self.system.port_close(port);
        place.set(None);
        self.used.set(self.used.get() - 1);
        if end {
            self.end(port);
        }
    }

    /// Notifies the other end. Any context.
    pub fn send(&self, port: Port) {
        let mut send = xenabi::evtchn_send { port: port.number() };
        // SAFETY: the argument is what the command expects.
        unsafe { self.system.event_op(xenabi::EVTCHNOP_send, (&raw mut send).cast()) };
    }

    /// The system calls this for each pending port of the frontends. Event context.
    pub fn deliver(&self, port: u32) {
        // An event may come late, after its device has closed the port.
        let place = Port::new(port).and_then(|port| self.find(Some(port), port));
        if let Some(channel) = place.and_then(Cell::get) {
            // SAFETY: a handler stays in place until its port is closed.
            unsafe { channel.handler.as_ref() }.event(channel.port);
        }
    }

    /// After a resume: no port of before exists, and their numbers may mean something else now.
    pub fn forget(&self) {
        for place in &self.channels {
            place.set(None);
        }
        self.used.set(0);
    }

    /// Ports in use.
    pub fn count(&self) -> usize {
        self.used.get()
    }
}

/// A port of ours; dropped, it is closed.
pub struct OwnPort {
    events: &'static Events,
    port: Port,
}

impl OwnPort {
    /// Its number.
    pub fn port(&self) -> Port {
        self.port
    }

    /// Notifies the other end. Any context.
    pub fn send(&self) {
        self.events.send(self.port);
    }
}

impl Drop for OwnPort {
    fn drop(&mut self) {
        self.events.close(self.port, true);
    }
}
