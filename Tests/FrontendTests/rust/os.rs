//! The porting layer, by that of C; and what a crate without a system needs.

use crate::layout::Start;
use core::ffi::{c_char, c_int, c_long, c_void};
use core::fmt::Write;
use core::ptr::NonNull;
use xenfront::error::{Error, Result};
use xenfront::system::{Place, Port, System};

extern "C" {
    fn xg_os_pages(count: usize) -> *mut u8;
    fn xg_os_free_pages(pages: *mut u8, count: usize);
    fn xg_os_alloc(size: usize) -> *mut u8;
    fn xg_os_free(memory: *mut u8, size: usize);
    fn xg_os_frame(page: *const u8) -> u64;
    fn xg_os_map(frames: *const usize, count: usize) -> *mut u8;
    fn xg_os_port_open(port: u32) -> c_int;
    fn xg_os_port_close(port: u32);
    fn xg_os_wait(deadline: u64);
    fn xg_os_wake();
    fn xg_os_event_op(command: u32, argument: *mut c_void) -> c_long;
    fn xg_os_grant_op(command: u32, argument: *mut c_void, count: u32) -> c_long;
    fn xg_os_start(start: *mut Start);
    fn xg_os_time() -> u64;
    fn xg_os_log(line: *const c_char);
}

pub struct CSystem;

fn start() -> Start {
    let mut start = Start { store_frame: 0, console_frame: 0, store_port: 0, console_port: 0 };
    // SAFETY: the place is the function's to fill.
    unsafe { xg_os_start(&raw mut start) };
    start
}

fn place(frame: usize, port: u32) -> Option<Place> {
    (frame != 0).then_some(Place { frame, port })
}

// SAFETY: each function is that of xg_os.h, whose promises are the same.
unsafe impl System for CSystem {
    fn pages(&self, count: usize) -> Option<NonNull<u8>> {
        // SAFETY: any number may be asked for.
        NonNull::new(unsafe { xg_os_pages(count) })
    }
    unsafe fn free_pages(&self, pages: NonNull<u8>, count: usize) {
        // SAFETY: the caller's promise.
        unsafe { xg_os_free_pages(pages.as_ptr(), count) }
    }
    fn alloc(&self, size: usize) -> Option<NonNull<u8>> {
        // SAFETY: any number may be asked for.
        NonNull::new(unsafe { xg_os_alloc(size) })
    }
    unsafe fn free(&self, memory: NonNull<u8>, size: usize) {
        // SAFETY: the caller's promise.
        unsafe { xg_os_free(memory.as_ptr(), size) }
    }
    fn frame(&self, page: NonNull<u8>) -> u64 {
        // SAFETY: a number is computed.
        unsafe { xg_os_frame(page.as_ptr()) }
    }
    fn map(&self, frames: &[usize]) -> Option<NonNull<u8>> {
        // SAFETY: so many numbers are there.
        NonNull::new(unsafe { xg_os_map(frames.as_ptr(), frames.len()) })
    }
    fn port_open(&self, port: Port) -> Result<()> {
        // SAFETY: a number is all that it takes.
        Error::check(unsafe { xg_os_port_open(port.number()) } as isize)
    }
    fn port_close(&self, port: Port) {
        // SAFETY: a number is all that it takes.
        unsafe { xg_os_port_close(port.number()) }
    }
    fn wait(&self, deadline: u64) {
        // SAFETY: nothing of ours is borrowed: a cell would tell.
        unsafe { xg_os_wait(deadline) }
    }
    fn wake(&self) {
        // SAFETY: it may be called in any context.
        unsafe { xg_os_wake() }
    }
    unsafe fn event_op(&self, command: u32, argument: *mut c_void) -> isize {
        // SAFETY: the caller's promise.
        unsafe { xg_os_event_op(command, argument) as isize }
    }
    unsafe fn grant_op(&self, command: u32, argument: *mut c_void) -> isize {
        // SAFETY: the caller's promise.
        unsafe { xg_os_grant_op(command, argument, 1) as isize }
    }
    fn store(&self) -> Option<Place> {
        let start = start();
        place(start.store_frame, start.store_port)
    }
    fn console(&self) -> Option<Place> {
        let start = start();
        place(start.console_frame, start.console_port)
    }
    fn time(&self) -> u64 {
        // SAFETY: it may be called in any context.
        unsafe { xg_os_time() }
    }
    fn log(&self, line: &str) {
        let mut text = Line { bytes: [0; 160], length: 0 };
        let _ = text.write_str(line);
        // SAFETY: the last byte is a zero.
        unsafe { xg_os_log(text.bytes.as_ptr().cast()) }
    }
}

struct Line {
    bytes: [u8; 160],
    length: usize,
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        let room = self.bytes.len() - 1 - self.length;
        let text = &text.as_bytes()[..text.len().min(room)];
        self.bytes[self.length..self.length + text.len()].copy_from_slice(text);
        self.length += text.len();
        Ok(())
    }
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo) -> ! {
    let mut line = Line { bytes: [0; 160], length: 0 };
    let _ = write!(line, "{info}");
    CSystem.log(core::str::from_utf8(&line.bytes[..line.length]).unwrap_or("panic"));
    loop {
        // SAFETY: ends the process, or the domain.
        unsafe { core::arch::asm!("ud2") }
    }
}

/// The host's core library names it in its tables; nothing unwinds.
#[no_mangle]
extern "C" fn rust_eh_personality() {}
