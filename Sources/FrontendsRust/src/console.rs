//! The first console: the page of two byte rings that the toolstack made. Writing needs no event to
//! come, so that it works early and in a panic. An index that cannot be ends the use of the page: whoever
//! writes such a thing could name any place next.

use crate::error::{Error, Result};
use crate::events::{Events, Handler};
use crate::system::Port;
use core::cell::{Cell, RefCell};
use core::ptr::NonNull;
use xenabi::ring::{Broken, Stream, StreamParts};
use xenabi::xencons_interface;

const OUT: u32 = size_of_val(&xencons_interface::zeroed().out) as u32;
const IN: u32 = size_of_val(&xencons_interface::zeroed().r#in) as u32;

/// The console.
pub struct Console {
    events: &'static Events,
    stream: RefCell<Option<Stream>>,
    port: Cell<Option<Port>>,
    input: Cell<Option<fn()>>,
}

// SAFETY: no two functions of the frontends run at the same time: whoever wrote `System` promised that.
unsafe impl Sync for Console {}

impl Handler for Console {
    fn event(&self, _: Port) {
        let is_good = self.stream.borrow().is_some();
        if let (true, Some(input)) = (is_good, self.input.get()) {
            input();
        }
    }
}

impl Console {
    /// Not connected.
    pub const fn new(events: &'static Events) -> Self {
        let (stream, port) = (RefCell::new(None), Cell::new(None));
        Console { events, stream, port, input: Cell::new(None) }
    }

    fn connect(&'static self) -> Result<()> {
        *self.stream.borrow_mut() = None;
        let place = self.events.system.console().ok_or(Error::NO_DEVICE)?; // domain 0 has none
        let page = self.events.system.map(&[place.frame]).ok_or(Error::NO_MEMORY)?;
        let page = page.cast::<xencons_interface>().as_ptr();
        // SAFETY: the page stays mapped, and its rings are of these sizes, powers of two.
        let stream = unsafe {
            Stream::begin(StreamParts {
                input: (&raw mut (*page).r#in).cast(),
                input_size: IN,
                in_cons: &raw mut (*page).in_cons,
                in_prod: &raw mut (*page).in_prod,
                output: (&raw mut (*page).out).cast(),
                output_size: OUT,
                out_cons: &raw mut (*page).out_cons,
                out_prod: &raw mut (*page).out_prod,
            })
        };
        *self.stream.borrow_mut() = Some(stream.map_err(|Broken| Error::IO)?);
        let port = Port::new(place.port).ok_or(Error::INVALID)?;
        self.port.set(Some(port));
        // SAFETY: it stays in place for ever.
        unsafe { self.events.attach(port, NonNull::from(self)) }
    }

    /// `input` runs in event context whenever there may be something to read or room to write. Driver
    /// context.
    pub fn start(&'static self, input: Option<fn()>) -> Result<()> {
        self.input.set(input);
        self.connect()
    }

    /// After a resume and [`Events::forget`]: page and port are new. Driver context.
    pub fn resume(&'static self) -> Result<()> {
        self.connect()
    }

    /// Moves bytes and tells the daemon, and gives up for good if it lies.
    fn moved(
        &self, bytes: impl FnOnce(&mut Stream) -> core::result::Result<usize, Broken>,
    ) -> Result<usize> {
        let mut stream = self.stream.borrow_mut();
        let count = bytes(stream.as_mut().ok_or(Error::IO)?);
        if count.is_err() {
            *stream = None;
        }
        drop(stream);
        let count = count.map_err(|Broken| Error::IO)?;
        if let (1.., Some(port)) = (count, self.port.get()) {
            self.events.send(port);
        }
        Ok(count)
    }

    /// Writes what there is room for and gives the bytes; lines end in "\r\n" if it shall look right.
    /// `IO`: the daemon broke the protocol, and the console is left. Any context.
    pub fn write(&self, data: &[u8]) -> Result<usize> {
        self.moved(|stream| stream.write(data))
    }

    /// Waits for room, but not for ever: a daemon that is not there reads nothing. Driver context.
    pub fn write_all(&self, mut data: &[u8], deadline: u64) -> Result<()> {
        while !data.is_empty() {
            data = &data[self.write(data)?..];
            if !data.is_empty() && self.events.system.time() >= deadline {
                return Err(Error::TIMED_OUT);
            }
            if !data.is_empty() {
                self.events.system.wait(deadline);
            }
        }
        Ok(())
    }

    /// Reads what has been typed, and gives the bytes. Any context.
    pub fn read(&self, data: &mut [u8]) -> Result<usize> {
        self.moved(|stream| stream.read(data))
    }
}
