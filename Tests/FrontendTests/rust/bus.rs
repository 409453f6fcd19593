//! xg_bus.h: drivers in C on the bus in Rust, and the state of devices where C looks for it.

use crate::layout::{bytes, put_text, Device, DeviceCall, DeviceTry, Driver};
use crate::{block, net, status, BUS};
use core::cell::UnsafeCell;
use core::ffi::{c_char, c_int, CStr};
use core::mem::MaybeUninit;
use core::ptr::NonNull;
use xenfront::bus::{self, Kind};
use xenfront::error::{Error, Result};
use xenfront::memory;
use xenfront::store::Transaction;
use xenfront::text::Path;

const KINDS_MAX: usize = 8;

/// A kind that is built in C.
struct CKind(*const Driver);
// SAFETY: a constant of C.
unsafe impl Sync for CKind {}

/// A device of such a kind; C's is its `context`.
struct CDevice {
    device: bus::Device,
    driver: *const Driver,
}

impl CDevice {
    fn c(&self) -> *mut Device {
        self.device.context.get().cast()
    }

    fn call(&self, call: impl Fn(&Driver) -> DeviceCall) {
        show(&self.device);
        // SAFETY: C's driver and device are there until it is removed.
        unsafe {
            if let Some(call) = call(&*self.driver) {
                call(self.c());
            }
        }
    }

    fn attempt(&self, call: impl Fn(&Driver) -> DeviceTry) -> Result<()> {
        show(&self.device);
        // SAFETY: as above.
        unsafe { call(&*self.driver).map_or(Ok(()), |call| Error::check(call(self.c()) as isize)) }
    }
}

impl Kind for CKind {
    fn name(&self) -> &'static str {
        // SAFETY: a constant of C.
        unsafe { CStr::from_ptr((*self.0).kind) }.to_str().unwrap_or("")
    }

    fn create(&self, device: bus::Device) -> Result<NonNull<dyn bus::Driver>> {
        let mut path = [0; crate::layout::PATH];
        put_text(&mut path, &device.path);
        // SAFETY: a constant of C, and a text with a zero at its end.
        let c = unsafe { (*self.0).create.map_or(core::ptr::null_mut(), |create| create(path.as_ptr())) };
        if c.is_null() {
            return Err(Error::NO_MEMORY);
        }
        device.context.set(c.cast());
        let system = device.system();
        let place = memory::place(system, CDevice { device, driver: self.0 })?;
        // SAFETY: both were made just now.
        unsafe { introduce(c, self.0, &place.as_ref().device) };
        Ok(place)
    }
}

impl bus::Driver for CDevice {
    fn device(&self) -> &bus::Device {
        &self.device
    }
    fn published_state(&self) -> u32 {
        // SAFETY: a constant of C.
        unsafe { (*self.driver).published_state }
    }
    fn setup(&self) -> Result<()> {
        self.attempt(|driver| driver.setup)
    }
    fn publish(&self, transaction: Transaction) -> Result<()> {
        // SAFETY: C's driver and device are there until it is removed.
        let publish = unsafe { (*self.driver).publish };
        // SAFETY: as above.
        publish.map_or(Ok(()), |call| Error::check(unsafe { call(self.c(), transaction.0) } as isize))
    }
    fn connected(&self) -> Result<()> {
        self.attempt(|driver| driver.connected)
    }
    fn changed(&self) {
        self.call(|driver| driver.changed);
    }
    fn stop(&self) {
        self.call(|driver| driver.stop);
    }
    fn teardown(&self) {
        self.call(|driver| driver.teardown);
    }
    fn removed(&self) {
        self.call(|driver| driver.removed);
        self.device.context.set(core::ptr::null_mut());
    }
    fn poll(&self) {
        self.call(|driver| driver.poll);
    }
}

/// Fills in what of C's device does not change.
///
/// # Safety
/// C's device is there, and no other function writes to it now.
pub unsafe fn introduce(c: *mut Device, driver: *const Driver, device: &bus::Device) {
    // SAFETY: the caller's promise.
    let c = unsafe { &mut *c };
    c.driver = driver;
    c.id = device.id;
    c.next = device;
    put_text(&mut c.path, &device.path);
}

/// Shows a device's state where C looks for it.
pub fn show(device: &bus::Device) {
    let place: *mut Device = device.context.get().cast();
    if place.is_null() {
        return;
    }
    // SAFETY: C's device stays until the one in Rust goes, and nobody else has a reference.
    let c = unsafe { &mut *place };
    put_text(&mut c.backend, &device.backend());
    c.backend_id = device.backend_id().0;
    c.phase = device.phase() as u32;
    c.fault = device.is_faulty().map_or(core::ptr::null(), |_| c"a fault".as_ptr());
    c.faults = device.faults();
    c.connections = device.connections();
    let driver = c.driver;
    if core::ptr::eq(driver, &raw const block::xg_block_driver) {
        block::show(place);
    } else if core::ptr::eq(driver, &raw const net::xg_net_driver) {
        net::show(place);
    }
}

pub fn show_all() {
    BUS.devices().for_each(|driver| show(driver.device()));
}

/// The kinds that C has named, in Rust.
struct Kinds(UnsafeCell<[MaybeUninit<CKind>; KINDS_MAX]>, UnsafeCell<[&'static dyn Kind; KINDS_MAX]>);
// SAFETY: one function of the frontends runs at a time.
unsafe impl Sync for Kinds {}
static KINDS: Kinds = Kinds(
    UnsafeCell::new([const { MaybeUninit::uninit() }; KINDS_MAX]),
    UnsafeCell::new([const { &block::DISKS as &'static dyn Kind }; KINDS_MAX]),
);

#[no_mangle]
unsafe extern "C" fn xg_bus_start(drivers: *const *const Driver, count: usize) -> c_int {
    if count > KINDS_MAX {
        return -Error::NO_SPACE.number();
    }
    for index in 0..count {
        // SAFETY: so many drivers are there; the bus starts once, so that nobody looks at the kinds yet.
        unsafe {
            let driver = *drivers.add(index);
            let kind: &'static dyn Kind = if core::ptr::eq(driver, &raw const block::xg_block_driver) {
                &block::DISKS
            } else if core::ptr::eq(driver, &raw const net::xg_net_driver) {
                &net::NETS
            } else {
                (*KINDS.0.get())[index].write(CKind(driver))
            };
            (*KINDS.1.get())[index] = kind;
        }
    }
    // SAFETY: they are not written any more.
    status(BUS.start(unsafe { core::slice::from_raw_parts(KINDS.1.get().cast(), count) }))
}

#[no_mangle]
extern "C" fn xg_bus_poll() {
    BUS.poll();
    show_all();
}

#[no_mangle]
extern "C" fn xg_bus_abandon() {
    BUS.abandon();
    show_all();
}

#[no_mangle]
extern "C" fn xg_bus_resume() {
    BUS.resume();
    show_all();
}

#[no_mangle]
extern "C" fn xg_bus_stop() {
    BUS.stop();
}

/// The device in Rust.
unsafe fn device_of(c: *mut Device) -> &'static bus::Device {
    // SAFETY: C has a device only as long as the one in Rust is there.
    unsafe { &*(*c).next }
}

unsafe fn text(text: *const c_char) -> &'static str {
    // SAFETY: constants of C.
    unsafe { CStr::from_ptr(text) }.to_str().unwrap_or("")
}

#[no_mangle]
unsafe extern "C" fn xg_device_fault(c: *mut Device, what: *const c_char) {
    // SAFETY: C's device, and a constant.
    let device = unsafe { device_of(c) };
    // SAFETY: as above.
    device.fault(unsafe { text(what) });
    show(device);
}

#[no_mangle]
unsafe extern "C" fn xg_device_offer(c: *mut Device, key: *const c_char, otherwise: u64) -> u64 {
    // SAFETY: C's device, and a constant.
    unsafe { device_of(c).offer(text(key), otherwise) }
}

#[no_mangle]
unsafe extern "C" fn xg_device_agrees(c: *mut Device, wanted: bool, key: *const c_char) -> bool {
    // SAFETY: C's device, and a constant.
    unsafe { device_of(c).agrees(wanted, text(key)) }
}

#[no_mangle]
unsafe extern "C" fn xg_device_queues(c: *mut Device, wanted: u32) -> u32 {
    // SAFETY: C's device.
    unsafe { device_of(c).queues(wanted) }
}

#[no_mangle]
unsafe extern "C" fn xg_device_unpublish(c: *mut Device, transaction: u32, key: *const c_char) -> c_int {
    // SAFETY: C's device, and a constant.
    status(unsafe { device_of(c).unpublish(Transaction(transaction), text(key)) })
}

type One = unsafe extern "C" fn(*mut Device, u32, *const c_char, u32) -> c_int;

#[no_mangle]
unsafe extern "C" fn xg_device_publish_queues(
    c: *mut Device, transaction: u32, count: u32, one: One,
) -> c_int {
    // SAFETY: C's device.
    let device = unsafe { device_of(c) };
    status(device.publish_queues(Transaction(transaction), count, |folder, index| {
        let mut path = [0; crate::layout::PATH];
        put_text(&mut path, &Path::join(&[folder])?);
        // SAFETY: C's own function, with its device and a text.
        Error::check(unsafe { one(c, transaction, path.as_ptr(), index as u32) } as isize)
    }))
}

#[no_mangle]
unsafe extern "C" fn xg_bus_next(driver: *const Driver, after: *mut Device) -> *mut Device {
    // SAFETY: a constant of C, and its device.
    let name = unsafe { bytes((*driver).kind) };
    let devices = BUS.devices().map(|driver| driver.device()).skip_while(|device| {
        // SAFETY: as above.
        !after.is_null() && !core::ptr::eq(*device, unsafe { (*after).next })
    });
    let mut rest = devices.skip(usize::from(!after.is_null()));
    let found = rest.find(|device| device.kind().as_bytes() == name && !device.context.get().is_null());
    found.map_or(core::ptr::null_mut(), |device| device.context.get().cast())
}
