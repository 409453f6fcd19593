// The Rust version behind the driver's names.

use xenabi::ring::{BackRing, Broken, FrontRing, Plain, Stream, StreamParts};

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Request {
    id: u64,
    kind: u32,
    check: u32,
    more: u64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Response {
    id: u64,
    status: i32,
    check: u32,
}

// SAFETY: numbers only.
unsafe impl Plain for Request {}
// SAFETY: numbers only.
unsafe impl Plain for Response {}

type Front = FrontRing<Request, Response>;
type Back = BackRing<Request, Response>;

#[repr(C)]
pub struct StreamPage {
    input: [u8; 1024],
    output: [u8; 2048],
    in_cons: u32,
    in_prod: u32,
    out_cons: u32,
    out_prod: u32,
}

unsafe fn place<T>(state: *mut u8, value: T) -> i32 {
    assert!(core::mem::size_of::<T>() <= 256);
    core::ptr::write(state as *mut T, value);
    1
}

fn result<T>(taken: Result<Option<T>, Broken>, to: *mut T) -> i32 {
    match taken {
        Ok(Some(value)) => {
            unsafe { core::ptr::write(to, value) };
            1
        }
        Ok(None) => 0,
        Err(Broken) => -1,
    }
}

#[no_mangle]
pub unsafe extern "C" fn rust_front_init(state: *mut u8, page: *mut u8, bytes: u32) -> i32 {
    Front::init(page, bytes as usize).map_or(0, |ring| place(state, ring))
}

#[no_mangle]
pub unsafe extern "C" fn rust_front_put(state: *mut Front, request: *const Request) -> i32 {
    (*state).put(*request) as i32
}

#[no_mangle]
pub unsafe extern "C" fn rust_front_push(state: *mut Front) -> i32 {
    (*state).push() as i32
}

#[no_mangle]
pub unsafe extern "C" fn rust_front_take(state: *mut Front, response: *mut Response) -> i32 {
    result((*state).take(), response)
}

#[no_mangle]
pub unsafe extern "C" fn rust_front_wait(state: *mut Front) -> i32 {
    (*state).wait() as i32
}

#[no_mangle]
pub unsafe extern "C" fn rust_back_init(state: *mut u8, page: *mut u8, bytes: u32) -> i32 {
    Back::attach(page, bytes as usize).map_or(0, |ring| place(state, ring))
}

#[no_mangle]
pub unsafe extern "C" fn rust_back_take(state: *mut Back, request: *mut Request) -> i32 {
    result((*state).take(), request)
}

#[no_mangle]
pub unsafe extern "C" fn rust_back_put(state: *mut Back, response: *const Response) -> i32 {
    (*state).put(*response) as i32
}

#[no_mangle]
pub unsafe extern "C" fn rust_back_push(state: *mut Back) -> i32 {
    (*state).push() as i32
}

#[no_mangle]
pub unsafe extern "C" fn rust_back_wait(state: *mut Back) -> i32 {
    (*state).wait() as i32
}

#[no_mangle]
pub unsafe extern "C" fn rust_stream_init(
    state: *mut u8,
    page: *mut StreamPage,
    is_guest: i32,
) -> i32 {
    let guest = StreamParts {
        input: &raw mut (*page).input as *mut u8,
        input_size: 1024,
        in_cons: &raw mut (*page).in_cons,
        in_prod: &raw mut (*page).in_prod,
        output: &raw mut (*page).output as *mut u8,
        output_size: 2048,
        out_cons: &raw mut (*page).out_cons,
        out_prod: &raw mut (*page).out_prod,
    };
    let other = StreamParts {
        input: guest.output,
        input_size: guest.output_size,
        in_cons: guest.out_cons,
        in_prod: guest.out_prod,
        output: guest.input,
        output_size: guest.input_size,
        out_cons: guest.in_cons,
        out_prod: guest.in_prod,
    };
    match Stream::begin(if is_guest != 0 { guest } else { other }) {
        Ok(stream) => place(state, stream),
        Err(Broken) => -1,
    }
}

#[no_mangle]
pub unsafe extern "C" fn rust_stream_write(state: *mut Stream, data: *const u8, length: u32) -> i32 {
    let bytes = core::slice::from_raw_parts(data, length as usize);
    (*state).write(bytes).map_or(-1, |count| count as i32)
}

#[no_mangle]
pub unsafe extern "C" fn rust_stream_read(state: *mut Stream, data: *mut u8, length: u32) -> i32 {
    let bytes = core::slice::from_raw_parts_mut(data, length as usize);
    (*state).read(bytes).map_or(-1, |count| count as i32)
}
