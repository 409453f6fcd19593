//! The xenstore client: messages over a page of two byte rings. Requests wait for their answer; watches
//! only leave a mark, and [`Store::run_watches`] calls whom it concerns. Paths without leading slash
//! count from the domain's home.
//!
//! ```text
//!     request()  --> header, path, value -->  req ring  --> xenstored
//!     received() <-- one message at a time <-- rsp ring <--
//!        |-- answer to the request that waits: kept in `answer`
//!        |-- watch event: marks the watch, which is looked up by its token
//!        '-- anything else: an answer that nobody waits for any more, dropped
//! ```
//!
//! One request is under way at a time. Watch events take no memory, however many come: a mark is a
//! mark, and a watch tells nothing but that something changed. A daemon that breaks the protocol is
//! left: requests end with `IO`, unless it offers to begin again.
//!
//! Driver context, all of it.

use crate::error::{Error, Result};
use crate::events::{Events, Handler};
use crate::system::{Port, SECOND};
use crate::text::{parse_number, print_number, Path};
use core::cell::{Cell, RefCell};
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, Ordering};
use xenabi::ring::{Broken, Stream, StreamParts};
use xenabi::{xenstore_domain_interface, xsd_sockmsg};

const REQUEST_TIMEOUT: u64 = 30 * SECOND;
const RECONNECT_TIMEOUT: u64 = SECOND;
const MESSAGES_PER_EVENT: u32 = 64;
const WATCHES_PER_RUN: u32 = 64;
const PAYLOAD_MAX: usize = xenabi::XENSTORE_PAYLOAD_MAX as usize;
const HEADER: usize = size_of::<xsd_sockmsg>();

/// A transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Transaction(pub u32);

impl Transaction {
    /// Outside of any.
    pub const NONE: Transaction = Transaction(0);
}

/// Who is called when a watch has fired.
pub trait Watcher {
    /// Something changed at the path, or below. May set and end watches, but not free this one.
    fn changed(&self);
}

/// A watch. The owner keeps it in place until it is ended.
pub struct Watch {
    path: Cell<Path>,
    watcher: Cell<Option<NonNull<dyn Watcher>>>,
    next: Cell<Option<NonNull<Watch>>>,
    /// 0: not set.
    token: Cell<u32>,
    fired: Cell<bool>,
}

impl Watch {
    /// Not set.
    pub const fn new() -> Self {
        Watch {
            path: Cell::new(Path::EMPTY),
            watcher: Cell::new(None),
            next: Cell::new(None),
            token: Cell::new(0),
            fired: Cell::new(false),
        }
    }
}

impl Default for Watch {
    fn default() -> Self {
        Self::new()
    }
}

/// The message that is coming in.
struct Incoming {
    header: [u8; HEADER],
    header_got: usize,
    payload: [u8; PAYLOAD_MAX],
    payload_got: usize,
}

/// Words of a message's header, in their order.
#[derive(Clone, Copy)]
struct Header {
    kind: u32,
    request: u32,
    transaction: u32,
    length: u32,
}

impl Header {
    fn bytes(self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        let words = [self.kind, self.request, self.transaction, self.length];
        for (place, word) in bytes.chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_ne_bytes());
        }
        bytes
    }

    fn from(bytes: &[u8; HEADER]) -> Self {
        let word = |at: usize| u32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        Header { kind: word(0), request: word(4), transaction: word(8), length: word(12) }
    }
}

struct Wire {
    stream: Option<Stream>,
    incoming: Incoming,
    /// The answer to the request that is under way.
    answer: [u8; PAYLOAD_MAX],
    answer_length: usize,
    answer_kind: u32,
    answered: bool,
}

/// The connection to xenstore.
pub struct Store {
    /// What its port is opened by.
    pub events: &'static Events,
    page: Cell<Option<NonNull<xenstore_domain_interface>>>,
    port: Cell<Option<Port>>,
    broken: Cell<bool>,
    mending: Cell<bool>,
    busy: Cell<bool>,
    request: Cell<u32>,
    request_kind: Cell<u32>,
    wire: RefCell<Wire>,
    watches: Cell<Option<NonNull<Watch>>>,
    last_token: Cell<u32>,
    any_fired: Cell<bool>,
}

// SAFETY: no two functions of the frontends run at the same time: whoever wrote `System` promised that.
unsafe impl Sync for Store {}

impl Handler for Store {
    fn event(&self, _: Port) {
        self.received();
    }
}

impl Store {
    /// Not connected.
    pub const fn new(events: &'static Events) -> Self {
        Store {
            events,
            page: Cell::new(None),
            port: Cell::new(None),
            broken: Cell::new(false),
            mending: Cell::new(false),
            busy: Cell::new(false),
            request: Cell::new(0),
            request_kind: Cell::new(0),
            wire: RefCell::new(Wire {
                stream: None,
                incoming: Incoming {
                    header: [0; HEADER],
                    header_got: 0,
                    payload: [0; PAYLOAD_MAX],
                    payload_got: 0,
                },
                answer: [0; PAYLOAD_MAX],
                answer_length: 0,
                answer_kind: 0,
                answered: false,
            }),
            watches: Cell::new(None),
            last_token: Cell::new(0),
            any_fired: Cell::new(false),
        }
    }

    fn notify(&self) {
        if let Some(port) = self.port.get() {
            self.events.send(port);
        }
    }

    fn all_watches(&self) -> impl Iterator<Item = &'static Watch> {
        // SAFETY: a watch on the list stays in place until it is taken off.
        let of = |watch: NonNull<Watch>| unsafe { watch.as_ref() };
        core::iter::successors(self.watches.get().map(of), move |watch| watch.next.get().map(of))
    }

    /// The path is skipped; the token is what stands between two zeros.
    fn mark_watch(&self, payload: &[u8]) {
        let Some(token) = payload.split(|byte| *byte == 0).nth(1) else { return };
        let number = parse_number(token).filter(|number| *number != 0);
        let mut watches = self.all_watches();
        if let Some(watch) = watches.find(|watch| Some(u64::from(watch.token.get())) == number) {
            self.fire(watch);
        }
    }

    fn message_complete(&self, wire: &mut Wire, header: Header) {
        let length = header.length as usize;
        if header.kind == xenabi::XS_WATCH_EVENT {
            self.mark_watch(&wire.incoming.payload[..length]);
        } else if self.busy.get()
            && !wire.answered
            && header.request == self.request.get()
            && (header.kind == self.request_kind.get() || header.kind == xenabi::XS_ERROR)
        {
            wire.answered = true;
            wire.answer_kind = header.kind;
            wire.answer_length = length;
            wire.answer[..length].copy_from_slice(&wire.incoming.payload[..length]);
        }
        wire.incoming.header_got = 0;
        wire.incoming.payload_got = 0;
    }

    /// Takes what is there of one message; false: more of it is still to come.
    fn receive_message(
        &self, wire: &mut Wire, moved: &mut usize,
    ) -> core::result::Result<bool, Broken> {
        let Some(stream) = wire.stream.as_mut() else { return Ok(false) };
        let Incoming { header, header_got, payload, payload_got } = &mut wire.incoming;
        if *header_got < HEADER {
            let count = stream.read(&mut header[*header_got..])?;
            *header_got += count;
            *moved += count;
            if *header_got < HEADER {
                return Ok(false);
            }
        }
        let header = Header::from(header);
        // A longer payload is against the protocol, and would not fit.
        let length = header.length as usize;
        let room = payload.get_mut(*payload_got..length).ok_or(Broken)?;
        let count = stream.read(room)?;
        *payload_got += count;
        *moved += count;
        if *payload_got < length {
            return Ok(false);
        }
        self.message_complete(wire, header);
        Ok(true)
    }

    /// Event context.
    fn received(&self) {
        let (mut budget, mut moved) = (MESSAGES_PER_EVENT, 0);
        if self.page.get().is_none() {
            return;
        }
        let mut wire = self.wire.borrow_mut();
        while !self.broken.get() && budget != 0 {
            match self.receive_message(&mut wire, &mut moved) {
                Ok(true) => budget -= 1,
                Ok(false) => break,
                Err(Broken) => self.broken.set(true),
            }
        }
        if moved != 0 {
            self.notify(); // there is room again
        }
        if budget == 0 {
            self.events.system.wake();
        }
    }

    fn write_some(&self, data: &[u8]) -> core::result::Result<usize, Broken> {
        self.wire.borrow_mut().stream.as_mut().ok_or(Broken)?.write(data)
    }

    fn send(&self, mut data: &[u8], deadline: u64) -> Result<()> {
        while !data.is_empty() {
            let count = self.write_some(data).unwrap_or_else(|Broken| {
                self.broken.set(true);
                0
            });
            data = &data[count..];
            if count != 0 {
                self.notify();
            } else if self.events.system.time() >= deadline {
                self.broken.set(true); // half a message is in the ring: what follows would be misread
            } else if !self.broken.get() {
                self.events.system.wait(deadline);
            }
            if self.broken.get() {
                return Err(Error::IO);
            }
        }
        Ok(())
    }

    fn request_now(&self, kind: u32, transaction: Transaction, parts: &[&[u8]]) -> Result<usize> {
        let system = self.events.system;
        let deadline = system.time() + REQUEST_TIMEOUT;
        let length: usize = parts.iter().map(|part| part.len()).sum();
        if length > PAYLOAD_MAX {
            return Err(Error::TOO_BIG);
        }
        let request = self.request.get().wrapping_add(1);
        self.request.set(request);
        self.request_kind.set(kind);
        self.wire.borrow_mut().answered = false;
        let header = Header { kind, request, transaction: transaction.0, length: length as u32 };
        self.send(&header.bytes(), deadline)?;
        for part in parts {
            self.send(part, deadline)?;
        }
        loop {
            self.received(); // what the last event left over, or came without one
            let wire = self.wire.borrow();
            if wire.answered {
                let answer = &wire.answer[..wire.answer_length];
                return match wire.answer_kind {
                    xenabi::XS_ERROR => Err(Error::named(up_to_zero(answer))),
                    _ => Ok(answer.len()),
                };
            }
            drop(wire);
            if self.broken.get() {
                return Err(Error::IO);
            }
            if system.time() >= deadline {
                return Err(Error::TIMED_OUT);
            }
            system.wait(deadline);
        }
    }

    /// The answer's payload stands in `wire.answer`; its length is the result.
    fn request(&self, kind: u32, transaction: Transaction, parts: &[&[u8]]) -> Result<usize> {
        if self.page.get().is_none() {
            return Err(Error::NOT_CONNECTED);
        }
        while self.busy.get() {
            // Another thread's, while it sleeps in `wait`.
            self.events.system.wait(self.events.system.time() + REQUEST_TIMEOUT);
        }
        // What breaks again while it is mended stays broken until the next request.
        if self.broken.get() && (self.mending.get() || self.reconnect().is_err()) {
            return Err(Error::IO);
        }
        self.busy.set(true);
        let result = self.request_now(kind, transaction, parts);
        self.busy.set(false);
        result
    }

    /// A request whose answer is copied out.
    fn ask(
        &self, kind: u32, transaction: Transaction, path: &[u8], buffer: &mut [u8],
    ) -> Result<usize> {
        let length = self.request(kind, transaction, &[path, b"\0"])?;
        let room = buffer.get_mut(..length).ok_or(Error::TOO_BIG)?;
        room.copy_from_slice(&self.wire.borrow().answer[..length]);
        Ok(length)
    }

    fn tell(&self, kind: u32, transaction: Transaction, parts: &[&[u8]]) -> Result<()> {
        self.request(kind, transaction, parts).map(|_| ())
    }

    fn send_watch(&self, kind: u32, watch: &Watch) -> Result<()> {
        let token = print_number(watch.token.get().into());
        self.tell(kind, Transaction::NONE, &[&watch.path.get(), b"\0", &token, b"\0"])
    }

    fn renew_watches(&self) -> Result<()> {
        let mut result = Ok(());
        for watch in self.all_watches() {
            let sent = self.send_watch(xenabi::XS_WATCH, watch);
            watch.fired.set(true); // what changed meanwhile was told to nobody
            self.any_fired.set(true);
            result = result.and(sent);
        }
        result
    }

    fn begin(&self) -> Result<()> {
        let page = self.page.get().ok_or(Error::NOT_CONNECTED)?.as_ptr();
        let mut wire = self.wire.borrow_mut();
        wire.incoming.header_got = 0;
        wire.incoming.payload_got = 0;
        // SAFETY: the page stays mapped, and its rings are of this size, a power of two.
        let stream = unsafe {
            Stream::begin(StreamParts {
                input: (&raw mut (*page).rsp).cast(),
                input_size: xenabi::XENSTORE_RING_SIZE,
                in_cons: &raw mut (*page).rsp_cons,
                in_prod: &raw mut (*page).rsp_prod,
                output: (&raw mut (*page).req).cast(),
                output_size: xenabi::XENSTORE_RING_SIZE,
                out_cons: &raw mut (*page).req_cons,
                out_prod: &raw mut (*page).req_prod,
            })
        };
        self.broken.set(stream.is_err());
        wire.stream = stream.ok();
        wire.stream.as_ref().map(|_| ()).ok_or(Error::IO)
    }

    fn connect(&'static self) -> Result<()> {
        let place = self.events.system.store().ok_or(Error::NO_DEVICE)?;
        let page = self.events.system.map(&[place.frame]).ok_or(Error::NO_MEMORY)?;
        self.page.set(Some(page.cast()));
        self.busy.set(false);
        self.begin()?;
        let port = Port::new(place.port).ok_or(Error::INVALID)?;
        self.port.set(Some(port));
        // SAFETY: it stays in place for ever.
        unsafe { self.events.attach(port, NonNull::from(self)) }
    }

    /// A word of the page that is written outside of the rings.
    fn word(&self, of: fn(*mut xenstore_domain_interface) -> *mut u32) -> Result<&AtomicU32> {
        let page = self.page.get().ok_or(Error::NOT_CONNECTED)?;
        // SAFETY: the page stays mapped, and both sides write its words atomically.
        Ok(unsafe { AtomicU32::from_ptr(of(page.as_ptr())) })
    }

    /// Asks a daemon that can do so to clear the rings, and sets the watches again.
    fn reconnect(&self) -> Result<()> {
        let system = self.events.system;
        let deadline = system.time() + RECONNECT_TIMEOUT;
        // SAFETY: addresses within the page are computed.
        let features = self.word(|page| unsafe { &raw mut (*page).server_features })?;
        // SAFETY: as above.
        let connection = self.word(|page| unsafe { &raw mut (*page).connection })?;
        if features.load(Ordering::Acquire) & xenabi::XENSTORE_SERVER_FEATURE_RECONNECTION == 0 {
            return Err(Error::IO);
        }
        connection.store(xenabi::XENSTORE_RECONNECT, Ordering::Release);
        self.notify();
        while connection.load(Ordering::Acquire) != xenabi::XENSTORE_CONNECTED {
            if system.time() >= deadline {
                return Err(Error::IO);
            }
            system.wait(deadline);
        }
        self.begin()?;
        self.mending.set(true);
        let result = self.renew_watches();
        self.mending.set(false);
        result
    }

    /// Connects to the page that the toolstack made.
    pub fn start(&'static self) -> Result<()> {
        self.watches.set(None);
        self.any_fired.set(false);
        self.connect()
    }

    /// After a resume and [`Events::forget`]: page and port are new; all watches are set anew and fire.
    pub fn resume(&'static self) -> Result<()> {
        self.connect()?;
        self.renew_watches()
    }

    /// Ends the connection's port.
    pub fn stop(&self) {
        if let Some(port) = self.port.take() {
            self.events.close(port, false);
        }
        self.page.set(None);
    }

    /// Reads a value into the buffer and gives its length; `TOO_BIG`: the buffer is too small.
    pub fn read(&self, transaction: Transaction, path: &[u8], buffer: &mut [u8]) -> Result<usize> {
        self.ask(xenabi::XS_READ, transaction, path, buffer)
    }

    /// Writes a value.
    pub fn write(&self, transaction: Transaction, path: &[u8], value: &[u8]) -> Result<()> {
        self.tell(xenabi::XS_WRITE, transaction, &[path, b"\0", value])
    }

    /// Makes an empty node, unless there is one.
    pub fn mkdir(&self, transaction: Transaction, path: &[u8]) -> Result<()> {
        self.tell(xenabi::XS_MKDIR, transaction, &[path, b"\0"])
    }

    /// Removes a node with all that is below.
    pub fn remove(&self, transaction: Transaction, path: &[u8]) -> Result<()> {
        self.tell(xenabi::XS_RM, transaction, &[path, b"\0"])
    }

    /// Names of the children, each with a zero; gives the bytes.
    pub fn list(&self, transaction: Transaction, path: &[u8], buffer: &mut [u8]) -> Result<usize> {
        self.ask(xenabi::XS_DIRECTORY, transaction, path, buffer)
    }

    /// Permissions as texts like "n0" and "r3", each with a zero; gives the bytes.
    pub fn permissions(
        &self, transaction: Transaction, path: &[u8], buffer: &mut [u8],
    ) -> Result<usize> {
        self.ask(xenabi::XS_GET_PERMS, transaction, path, buffer)
    }

    /// Writes permissions in the same form.
    pub fn set_permissions(
        &self, transaction: Transaction, path: &[u8], permissions: &[u8],
    ) -> Result<()> {
        self.tell(xenabi::XS_SET_PERMS, transaction, &[path, b"\0", permissions])
    }

    /// Begins a transaction.
    pub fn begin_transaction(&self) -> Result<Transaction> {
        let mut text = [0; 24];
        let length = self.ask(xenabi::XS_TRANSACTION_START, Transaction::NONE, b"", &mut text)?;
        let number = parse_number(up_to_zero(&text[..length])).and_then(|number| u32::try_from(number).ok());
        number.filter(|number| *number != 0).map(Transaction).ok_or(Error::IO)
    }

    /// Ends one. `AGAIN`: somebody else changed what was read or written; do all of it again.
    pub fn commit(&self, transaction: Transaction) -> Result<()> {
        self.tell(xenabi::XS_TRANSACTION_END, transaction, &[b"T\0"])
    }

    /// Ends one, and forgets what was written in it.
    pub fn abort(&self, transaction: Transaction) -> Result<()> {
        self.tell(xenabi::XS_TRANSACTION_END, transaction, &[b"F\0"])
    }

    /// One key in a directory, as a number. Absent or no number: `otherwise`.
    pub fn number(&self, directory: &[u8], key: &str, otherwise: u64) -> u64 {
        let mut text = [0; 23];
        Path::join(&[directory, b"/", key.as_bytes()])
            .and_then(|path| self.read(Transaction::NONE, &path, &mut text))
            .ok()
            .and_then(|length| parse_number(up_to_zero(&text[..length])))
            .unwrap_or(otherwise)
    }

    /// Writes one.
    pub fn write_number(
        &self, transaction: Transaction, directory: &[u8], key: &str, value: u64,
    ) -> Result<()> {
        let path = Path::join(&[directory, b"/", key.as_bytes()])?;
        self.write(transaction, &path, &print_number(value))
    }

    /// Writes several.
    pub fn write_keys(
        &self, transaction: Transaction, directory: &[u8], keys: &[(&str, u64)],
    ) -> Result<()> {
        keys.iter().try_for_each(|(key, value)| self.write_number(transaction, directory, key, *value))
    }

    /// Sets a watch; it fires once at once, and at every change below the path.
    ///
    /// # Safety
    /// Watch and watcher stay in place until the watch is ended, and the watch is not set.
    pub unsafe fn watch(
        &self, watch: &Watch, path: Path, watcher: NonNull<dyn Watcher>,
    ) -> Result<()> {
        self.last_token.set(self.last_token.get() + 1);
        watch.token.set(self.last_token.get());
        watch.path.set(path);
        watch.watcher.set(Some(watcher));
        watch.fired.set(false);
        watch.next.set(self.watches.get());
        self.watches.set(Some(NonNull::from(watch)));
        self.send_watch(xenabi::XS_WATCH, watch).inspect_err(|_| self.unwatch(watch))
    }

    /// Ends a watch, if it is set.
    pub fn unwatch(&self, watch: &Watch) {
        if watch.token.get() == 0 {
            return;
        }
        let place = NonNull::from(watch);
        if self.watches.get() == Some(place) {
            self.watches.set(watch.next.get());
        } else if let Some(before) = self.all_watches().find(|before| before.next.get() == Some(place)) {
            before.next.set(watch.next.get());
        }
        // A daemon that does not answer will fire a token that nobody has.
        let _ = self.send_watch(xenabi::XS_UNWATCH, watch);
        watch.token.set(0);
    }

    /// Calls those that fired since. A call may set and end watches.
    pub fn run_watches(&self) {
        self.received();
        for _ in 0..WATCHES_PER_RUN {
            if !self.any_fired.replace(false) {
                return;
            }
            let Some(watch) = self.all_watches().find(|watch| watch.fired.get()) else { return };
            watch.fired.set(false);
            self.any_fired.set(true); // look again from the start: the call may change the list
            if let Some(watcher) = watch.watcher.get() {
                // SAFETY: the watcher stays in place until its watch is ended.
                unsafe { watcher.as_ref() }.changed();
            }
        }
    }

    /// Marks one as if it had fired, so that it is called again.
    pub fn fire(&self, watch: &Watch) {
        watch.fired.set(true);
        self.any_fired.set(true);
        self.events.system.wake();
    }
}

/// Answers may or may not end with a zero.
pub(crate) fn up_to_zero(text: &[u8]) -> &[u8] {
    text.split(|byte| *byte == 0).next().unwrap_or(text)
}
