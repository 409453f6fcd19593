//! Structures of the headers in C.

use core::ffi::{c_char, c_int, c_void, CStr};

pub const PATH: usize = 160;

#[repr(C)]
pub struct Start {
    pub store_frame: usize,
    pub console_frame: usize,
    pub store_port: u32,
    pub console_port: u32,
}

#[repr(C)]
pub struct Watch {
    pub path: [c_char; PATH],
    pub changed: Option<unsafe extern "C" fn(*mut c_void)>,
    pub context: *mut c_void,
    /// What stands for it in Rust.
    pub next: *mut c_void,
    pub token: u32,
    pub fired: bool,
}

#[repr(C)]
pub struct Key {
    pub key: *const c_char,
    pub value: u64,
}

pub type DeviceCall = Option<unsafe extern "C" fn(*mut Device)>;
pub type DeviceTry = Option<unsafe extern "C" fn(*mut Device) -> c_int>;

#[repr(C)]
pub struct Driver {
    pub kind: *const c_char,
    pub published_state: u32,
    pub create: Option<unsafe extern "C" fn(*const c_char) -> *mut Device>,
    pub setup: DeviceTry,
    pub publish: Option<unsafe extern "C" fn(*mut Device, u32) -> c_int>,
    pub connected: DeviceTry,
    pub changed: DeviceCall,
    pub stop: DeviceCall,
    pub teardown: DeviceCall,
    pub removed: DeviceCall,
    pub poll: DeviceCall,
}

// SAFETY: constants of C.
unsafe impl Sync for Driver {}

impl Driver {
    /// One that stands for a kind that is built in Rust.
    pub const fn named(kind: &'static CStr) -> Self {
        Driver {
            kind: kind.as_ptr(),
            published_state: 0,
            create: None,
            setup: None,
            publish: None,
            connected: None,
            changed: None,
            stop: None,
            teardown: None,
            removed: None,
            poll: None,
        }
    }
}

#[repr(C)]
pub struct Device {
    pub driver: *const Driver,
    pub path: [c_char; PATH],
    pub backend: [c_char; PATH],
    pub backend_id: u16,
    pub id: u32,
    pub phase: u32,
    pub fault: *const c_char,
    pub faults: u32,
    pub connections: u32,
    pub failures: u32,
    pub watch: Watch,
    /// The device in Rust.
    pub next: *const xenfront::bus::Device,
}

/// A text of C's; it lives as long as C says.
///
/// # Safety
/// It ends with a zero.
pub unsafe fn bytes<'a>(text: *const c_char) -> &'a [u8] {
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(text) }.to_bytes()
}

pub fn put_text(place: &mut [c_char; PATH], text: &[u8]) {
    for (index, byte) in place.iter_mut().enumerate() {
        *byte = text.get(index).copied().unwrap_or(0) as c_char;
    }
}
