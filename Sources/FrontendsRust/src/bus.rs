//! Xenbus: finds devices, takes each through its states with the backend, and again when the backend
//! goes and comes back.
//!
//! ```text
//!             backend 2               backend 4
//!   Waiting ------------> Published ------------> Running
//!      ^  setup, publish              connected     |  backend 5, 6, gone, restarted; or a fault
//!      |                                            v
//!      '-- Closed <--- backend 6, 2 or gone --- Closing      stop, then teardown
//!            |  backend's `online` is 0, or the device's directory is gone
//!            '--> removed
//! ```
//!
//! All of a device's moves are in `Device::step`, which looks at the backend's state and does what is
//! due in the device's own phase. It is called whenever the backend's state may have changed, and any
//! order or merging of changes ends well: nothing depends on seeing each of them.
//!
//! After a fault or a restart the device waits until the backend says that it has let go (closed, or at
//! its start again). Before that the old backend might still carry out requests that are going to be
//! issued again, and a write of before could overwrite one of after.

use crate::error::{Error, Result};
use crate::grants::Grants;
use crate::memory;
use crate::store::{up_to_zero, Store, Transaction, Watch, Watcher};
use crate::system::{Domain, System};
use crate::text::{parse_number, print_number, Path, Text};
use core::cell::{Cell, RefCell};
use core::ffi::c_void;
use core::ptr::NonNull;
use xenabi::{
    XenbusStateClosed, XenbusStateClosing, XenbusStateConnected, XenbusStateInitWait,
    XenbusStateInitialised, XenbusStateInitialising, XenbusStateUnknown,
};

const COMMIT_TRIES: u32 = 16;
const STEPS: u32 = 8;
/// Connections that failed in a row; then the device is left alone.
const FAILURES_MAX: u32 = 8;
const NAMES_MAX: usize = xenabi::XENSTORE_PAYLOAD_MAX as usize;

/// Where a device is on its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// For the backend to be ready.
    Waiting,
    /// Our keys are written.
    Published,
    /// In use.
    Running,
    /// The rings are left; the backend may still use them.
    Closing,
    /// Nothing is shared any more.
    Closed,
}

/// A device of some kind. All calls come in driver context.
pub trait Driver {
    /// What all devices have.
    fn device(&self) -> &Device;
    /// The state that goes out with the keys: Initialised, or Connected for networks.
    fn published_state(&self) -> u32 {
        XenbusStateInitialised
    }
    /// Backend is ready: reads what it offers, makes rings and ports.
    fn setup(&self) -> Result<()>;
    /// Writes the keys, within a transaction; may be called several times.
    fn publish(&self, transaction: Transaction) -> Result<()>;
    /// Backend is connected: reads properties; requests may go from now on.
    fn connected(&self) -> Result<()>;
    /// Backend's state key was written again while running: properties may have changed.
    fn changed(&self) {}
    /// Rings are not to be touched any more; what was under way is kept.
    fn stop(&self);
    /// Ends ports and grants, whatever of them exists.
    fn teardown(&self);
    /// Never comes back: ends what waits with errors. After teardown; the device is dropped next.
    fn removed(&self);
    /// At each `Bus::poll`: time-outs, and what an event left undone.
    fn poll(&self);
}

/// A kind of device.
pub trait Kind: Sync {
    /// "vbd".
    fn name(&self) -> &'static str;
    /// Puts a new device in its place (`memory::place`); an error leaves it alone.
    fn create(&self, device: Device) -> Result<NonNull<dyn Driver>>;
}

/// What all devices have.
pub struct Device {
    /// The bus that it is on.
    pub bus: &'static Bus,
    /// device/vbd/51712
    pub path: Path,
    /// The last part of the path.
    pub id: u32,
    /// The owner's.
    pub context: Cell<*mut c_void>,
    kind: &'static dyn Kind,
    driver: Cell<Option<NonNull<dyn Driver>>>,
    next: Cell<Option<NonNull<dyn Driver>>>,
    watch: Watch,
    backend: Cell<Path>,
    backend_id: Cell<Domain>,
    phase: Cell<Phase>,
    fault: Cell<Option<&'static str>>,
    faults: Cell<u32>,
    connections: Cell<u32>,
    failures: Cell<u32>,
}

/// All devices.
pub struct Bus {
    /// Where devices are found.
    pub store: &'static Store,
    /// What they are shared by.
    pub grants: &'static Grants,
    kinds: Cell<&'static [&'static dyn Kind]>,
    devices: Cell<Option<NonNull<dyn Driver>>>,
    watch: Watch,
    rescan: Cell<bool>,
    names: RefCell<[u8; NAMES_MAX]>,
}

// SAFETY: no two functions of the frontends run at the same time: whoever wrote `System` promised that.
unsafe impl Sync for Bus {}

/// For drivers.
impl Device {
    /// The system.
    pub fn system(&self) -> &'static dyn System {
        self.bus.grants.system
    }

    /// The name of its kind.
    pub fn kind(&self) -> &'static str {
        self.kind.name()
    }

    /// The backend's folder: /local/domain/0/backend/vbd/3/51712
    pub fn backend(&self) -> Path {
        self.backend.get()
    }

    /// The backend's domain.
    pub fn backend_id(&self) -> Domain {
        self.backend_id.get()
    }

    /// Where the device is on its way.
    pub fn phase(&self) -> Phase {
        self.phase.get()
    }

    /// What the backend did wrong.
    pub fn is_faulty(&self) -> Option<&'static str> {
        self.fault.get()
    }

    /// Faults so far.
    pub fn faults(&self) -> u32 {
        self.faults.get()
    }

    /// Connections so far.
    pub fn connections(&self) -> u32 {
        self.connections.get()
    }

    /// The backend broke the protocol; the device is closed and connected anew. Any context.
    pub fn fault(&self, what: &'static str) {
        if self.fault.get().is_none() {
            self.fault.set(Some(what));
            self.faults.set(self.faults.get() + 1);
            self.system().log(what);
            self.system().wake();
        }
    }

    /// A key of the backend as a number.
    pub fn offer(&self, key: &str, otherwise: u64) -> u64 {
        self.bus.store.number(&self.backend(), key, otherwise)
    }

    /// Whether a feature is wanted here and offered there.
    pub fn agrees(&self, wanted: bool, key: &str) -> bool {
        wanted && self.offer(key, 0) == 1
    }

    /// How many queues both sides can have.
    pub fn queues(&self, wanted: u32) -> u32 {
        let offered = self.offer("multi-queue-max-queues", 1);
        wanted.min(u32::try_from(offered).unwrap_or(u32::MAX)).max(1)
    }

    /// Takes away a key that an earlier connection may have left.
    pub fn unpublish(&self, transaction: Transaction, key: &str) -> Result<()> {
        let path = Path::join(&[&self.path, b"/", key.as_bytes()])?;
        match self.bus.store.remove(transaction, &path) {
            Err(Error::NOT_FOUND) => Ok(()),
            result => result,
        }
    }

    /// Writes the keys of each queue where they belong: a single queue's stand in the device's folder.
    pub fn publish_queues(
        &self, transaction: Transaction, count: u32,
        mut one: impl FnMut(&[u8], usize) -> Result<()>,
    ) -> Result<()> {
        const COUNT: &str = "multi-queue-num-queues";
        if count == 1 {
            self.unpublish(transaction, COUNT)?;
            return one(&self.path, 0);
        }
        self.bus.store.write_number(transaction, &self.path, COUNT, count.into())?;
        (0..count).try_for_each(|index| {
            let number = print_number(index.into());
            one(&Path::join(&[&self.path, b"/queue-", &number])?, index as usize)
        })
    }
}

impl Watcher for Device {
    fn changed(&self) {
        let Some(driver) = self.driver() else { return };
        if self.phase() != Phase::Running
            || self.fault.get().is_some()
            || self.offer("state", XenbusStateUnknown.into()) != XenbusStateConnected.into()
        {
            self.step();
        } else {
            driver.changed();
        }
    }
}

impl Device {
    fn driver(&self) -> Option<&dyn Driver> {
        // SAFETY: the driver has this device as a part of it, and stays in place.
        self.driver.get().map(|driver| unsafe { driver.as_ref() })
    }

    fn try_state(&self, driver: &dyn Driver, state: u32, keys: bool) -> Result<()> {
        let store = self.bus.store;
        let path = Path::join(&[&self.path, b"/state"])?;
        let transaction = store.begin_transaction()?;
        let written = store.read(transaction, &path, &mut [0; 24]).and_then(|_| {
            if keys {
                driver.publish(transaction)?;
            }
            store.write_number(transaction, &self.path, "state", state.into())
        });
        match written {
            Ok(()) => store.commit(transaction),
            Err(error) => {
                let _ = store.abort(transaction);
                Err(error)
            }
        }
    }

    /// Writes the state, and the keys with it if `keys`: the backend must not read half of them. All in
    /// a transaction that looks for the old state first, since a write to a device that has just been
    /// removed would make its directory anew, and nobody would take that away again.
    fn change_state(&self, driver: &dyn Driver, state: u32, keys: bool) -> Result<()> {
        for _ in 0..COMMIT_TRIES {
            match self.try_state(driver, state, keys) {
                Err(Error::AGAIN) => {}
                result => return result,
            }
        }
        Err(Error::AGAIN)
    }

    /// A state that cannot be written is looked at again when the backend's changes.
    fn write_state(&self, driver: &dyn Driver, state: u32) {
        let _ = self.change_state(driver, state, false);
    }

    fn note(&self, what: &str, error: Error) {
        let number = print_number(error.number().unsigned_abs().into());
        let path = Path::join(&[b"error/", &self.path, b"/error"]);
        let text = Text::<64>::join(&[&number, b" ", what.as_bytes()]);
        if let (Ok(path), Ok(text)) = (path, text) {
            let _ = self.bus.store.write(Transaction::NONE, &path, &text);
        }
        self.system().log(what);
    }

    fn failed(&self) {
        self.failures.set(self.failures.get() + 1);
    }

    /// Leaves the rings. They are given back when the backend has closed, too.
    fn begin_closing(&self, driver: &dyn Driver) {
        driver.stop();
        self.phase.set(Phase::Closing);
        self.write_state(driver, XenbusStateClosing);
    }

    fn find_backend(&self) -> Result<()> {
        let store = self.bus.store;
        let id = store.number(&self.path, "backend-id", u64::MAX);
        if id >= xenabi::DOMID_FIRST_RESERVED.into() {
            return Err(Error::NOT_FOUND);
        }
        let backend = self.given_backend()?;
        self.backend.set(backend);
        self.backend_id.set(Domain(id as u16));
        let path = Path::join(&[&backend, b"/state"])?;
        // SAFETY: both are this device, whose watch is ended before it is dropped, and is not set now.
        unsafe { store.watch(&self.watch, path, NonNull::from(self)) }
    }

    /// The backend's folder, as the toolstack has it now.
    fn given_backend(&self) -> Result<Path> {
        let mut backend = [0; 159];
        let path = Path::join(&[&self.path, b"/backend"])?;
        let length = self.bus.store.read(Transaction::NONE, &path, &mut backend)?;
        let backend = up_to_zero(&backend[..length]);
        if backend.is_empty() { Err(Error::NOT_FOUND) } else { Path::join(&[backend]) }
    }

    fn connect(&self, driver: &dyn Driver) {
        let result = driver.setup();
        match result.and_then(|()| self.change_state(driver, driver.published_state(), true)) {
            Ok(()) => self.phase.set(Phase::Published),
            Err(error) => {
                self.note("the device cannot be set up", error);
                driver.teardown();
                self.phase.set(Phase::Closed);
                self.failed();
                self.write_state(driver, XenbusStateClosed);
            }
        }
    }

    fn finish_connecting(&self, driver: &dyn Driver) {
        if let Err(error) = driver.connected() {
            self.note("the backend's properties make no sense", error);
            self.failed();
            return self.begin_closing(driver);
        }
        self.phase.set(Phase::Running);
        self.connections.set(self.connections.get() + 1);
        self.failures.set(0);
        if driver.published_state() != XenbusStateConnected {
            self.write_state(driver, XenbusStateConnected);
        }
    }

    /// One move. Nothing more is to be done for now if the phase stays.
    #[allow(non_upper_case_globals)]
    fn advance(&self, driver: &dyn Driver, state: u32) {
        match (self.phase(), state) {
            (Phase::Waiting, XenbusStateInitWait) => self.connect(driver),
            // Connected to whoever was here before (a boot loader, say), or at its end.
            (
                Phase::Waiting,
                XenbusStateConnected | XenbusStateInitialised | XenbusStateClosing,
            ) => self.begin_closing(driver),
            (Phase::Waiting, _) => {}
            (Phase::Published, XenbusStateConnected) => self.finish_connecting(driver),
            (Phase::Published, XenbusStateInitWait | XenbusStateInitialised) => {}
            (Phase::Published, _) => self.begin_closing(driver),
            (Phase::Running, XenbusStateConnected) if self.fault.get().is_none() => {}
            (Phase::Running, _) => self.begin_closing(driver),
            (Phase::Closing, XenbusStateConnected | XenbusStateInitialised) => {}
            (Phase::Closing, _) => {
                self.write_state(driver, XenbusStateClosed);
                if state != XenbusStateClosing {
                    driver.teardown();
                    self.fault.set(None);
                    self.phase.set(Phase::Closed);
                }
            }
            (Phase::Closed, XenbusStateInitWait | XenbusStateClosed)
                if self.failures.get() < FAILURES_MAX
                    && (state == XenbusStateInitWait || self.offer("online", 1) != 0) =>
            {
                self.phase.set(Phase::Waiting);
                self.write_state(driver, XenbusStateInitialising);
            }
            (Phase::Closed, _) => {}
        }
    }

    fn step(&self) {
        let Some(driver) = self.driver() else { return };
        for _ in 0..STEPS {
            let before = self.phase();
            let state = self.offer("state", XenbusStateUnknown.into());
            self.advance(driver, u32::try_from(state).unwrap_or(u32::MAX));
            if self.phase() == before {
                return;
            }
        }
        self.bus.store.fire(&self.watch); // it wanders from state to state: some steps for each poll
    }
}

impl Watcher for Bus {
    fn changed(&self) {
        self.rescan.set(true);
    }
}

impl Bus {
    /// Without devices.
    pub const fn new(store: &'static Store, grants: &'static Grants) -> Self {
        Bus {
            store,
            grants,
            kinds: Cell::new(&[]),
            devices: Cell::new(None),
            watch: Watch::new(),
            rescan: Cell::new(false),
            names: RefCell::new([0; NAMES_MAX]),
        }
    }

    /// The devices there are. One may be removed while the next is looked at.
    pub fn devices(&self) -> impl Iterator<Item = &'static dyn Driver> {
        // SAFETY: a driver on the list stays in place until it is removed, in driver context.
        let of = |driver: NonNull<dyn Driver>| unsafe { driver.as_ref() };
        let first = self.devices.get().map(of);
        core::iter::successors(first, move |driver: &&'static dyn Driver| driver.device().next.get().map(of))
    }

    fn remove(&self, driver: &'static dyn Driver) {
        let device = driver.device();
        let next = device.next.get();
        match self.devices().find(|other| is_followed_by(*other, device)) {
            Some(before) => before.device().next.set(next),
            None => self.devices.set(next),
        }
        self.store.unwatch(&device.watch);
        driver.stop();
        driver.teardown();
        driver.removed();
        if let Some(driver) = device.driver.get() {
            // SAFETY: `create` placed it, it is on no list any more, and its watch and ports are ended.
            unsafe { memory::remove(self.grants.system, driver) };
        }
    }

    fn add(&'static self, kind: &'static dyn Kind, path: Path, id: u32) {
        let device = Device {
            bus: self,
            path,
            id,
            context: Cell::new(core::ptr::null_mut()),
            kind,
            driver: Cell::new(None),
            next: Cell::new(None),
            watch: Watch::new(),
            backend: Cell::new(Path::EMPTY),
            backend_id: Cell::new(Domain(0)),
            phase: Cell::new(Phase::Waiting),
            fault: Cell::new(None),
            faults: Cell::new(0),
            connections: Cell::new(0),
            failures: Cell::new(0),
        };
        let Ok(place) = kind.create(device) else { return };
        // SAFETY: it was placed just now, and stays until it is removed.
        let driver: &'static dyn Driver = unsafe { place.as_ref() };
        let device = driver.device();
        device.driver.set(Some(place));
        if device.find_backend().is_err() {
            driver.removed();
            // SAFETY: nobody else knows it; its watch was not set.
            return unsafe { memory::remove(self.grants.system, place) };
        }
        device.next.set(self.devices.get());
        self.devices.set(Some(place));
        let state = self.store.number(&path, "state", XenbusStateInitialising.into());
        if state != XenbusStateInitialising.into() {
            device.write_state(driver, XenbusStateInitialising);
        }
    }

    fn scan(&'static self, kind: &'static dyn Kind) {
        let Ok(mut names) = self.names.try_borrow_mut() else { return self.rescan.set(true) };
        let Ok(folder) = Path::join(&[b"device/", kind.name().as_bytes()]) else { return };
        let length = match self.store.list(Transaction::NONE, &folder, &mut names[..]) {
            Err(Error::NOT_FOUND) => 0,
            Err(_) => return,
            Ok(length) => length,
        };
        let listed = || {
            let names = names[..length].split(|byte| *byte == 0);
            names.filter_map(|name| Some((Path::join(&[&folder, b"/", name]).ok()?, parse_number(name)?)))
        };
        let mut next = self.devices().next();
        while let Some(driver) = next {
            let device = driver.device();
            next = self.devices().skip_while(|other| !core::ptr::eq(other.device(), device)).nth(1);
            let is_listed = || listed().any(|(path, _)| *path == *device.path);
            if device.kind.name() == kind.name() && !is_listed() {
                self.remove(driver);
            }
        }
        for (path, number) in listed() {
            let Ok(id) = u32::try_from(number) else { continue };
            match self.devices().find(|driver| *driver.device().path == *path) {
                None => self.add(kind, path, id),
                Some(driver) if driver.device().phase() == Phase::Closed => self.follow(driver.device()),
                Some(_) => {}
            }
        }
    }

    /// The toolstack may have given a known device to another backend.
    fn follow(&self, device: &Device) {
        if device.given_backend().is_ok_and(|backend| *backend != *device.backend()) {
            self.store.unwatch(&device.watch);
            if device.find_backend().is_err() {
                self.grants.system.log("xenbus: the device's new backend cannot be watched");
            }
        }
    }

    /// Watches for devices of these kinds. Driver context, as all that follows.
    pub fn start(&'static self, kinds: &'static [&'static dyn Kind]) -> Result<()> {
        self.kinds.set(kinds);
        self.devices.set(None);
        // SAFETY: watch and watcher stay in place for ever.
        unsafe { self.store.watch(&self.watch, Path::join(&[b"device"])?, NonNull::from(self)) }
    }

    /// Does what is due: watches, states, time-outs, grants that came back. To be called after each
    /// [`System::wait`], and once a second at the least.
    pub fn poll(&'static self) {
        self.store.run_watches();
        if self.rescan.replace(false) {
            for kind in self.kinds.get() {
                self.scan(*kind);
            }
            self.store.run_watches();
        }
        for driver in self.devices() {
            let device = driver.device();
            if device.fault.get().is_some() && device.phase() == Phase::Running {
                device.step();
            }
            driver.poll();
        }
        self.grants.retry();
    }

    /// After a resume: takes down what every device had, before any port is opened anew.
    pub fn abandon(&self) {
        for driver in self.devices() {
            driver.stop();
            driver.teardown(); // the table is empty: every grant ends at once
            driver.device().phase.set(Phase::Waiting);
            driver.device().fault.set(None);
        }
    }

    /// And when xenstore is there again, lets each device connect.
    pub fn resume(&self) {
        self.rescan.set(true);
        for driver in self.devices() {
            let device = driver.device();
            self.store.unwatch(&device.watch);
            if device.find_backend().is_err() {
                self.grants.system.log("xenbus: a device has no backend after the resume");
            }
            device.write_state(driver, XenbusStateInitialising);
        }
    }

    /// Takes all devices out, as before a kexec.
    pub fn stop(&self) {
        self.store.unwatch(&self.watch);
        while let Some(driver) = self.devices().next() {
            driver.device().write_state(driver, XenbusStateClosed);
            self.remove(driver);
        }
    }
}

fn is_followed_by(driver: &dyn Driver, device: &Device) -> bool {
    // SAFETY: what follows on the list is in place.
    let next = driver.device().next.get().map(|next| unsafe { next.as_ref() });
    next.is_some_and(|next| core::ptr::eq(next.device(), device))
}
