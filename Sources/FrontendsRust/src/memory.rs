//! Memory of the system's, with owners: what an owner has goes back when it is dropped.

use crate::error::{Error, Result};
use crate::system::{System, PAGE};
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

/// Pages in a row.
pub struct Pages {
    system: &'static dyn System,
    start: NonNull<u8>,
    count: usize,
}

impl Pages {
    /// Zeroed. Driver context, as the drop.
    pub fn new(system: &'static dyn System, count: usize) -> Result<Self> {
        let start = system.pages(count).ok_or(Error::NO_MEMORY)?;
        Ok(Pages { system, start, count })
    }

    /// One of them.
    pub fn page(&self, index: usize) -> NonNull<u8> {
        assert!(index < self.count);
        // SAFETY: the index is below the count.
        unsafe { self.start.add(index * PAGE) }
    }

    /// All bytes.
    pub fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: the pages are there and ours as long as this owner is.
        unsafe { core::slice::from_raw_parts_mut(self.start.as_ptr(), self.count * PAGE) }
    }

    /// Leaves them to the caller.
    pub fn into_raw(self) -> NonNull<u8> {
        let start = self.start;
        core::mem::forget(self);
        start
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: they are ours, and nobody uses them after.
        unsafe { self.system.free_pages(self.start, self.count) }
    }
}

/// An array whose length is known at run time.
pub struct Array<T> {
    system: &'static dyn System,
    start: NonNull<T>,
    length: usize,
}

impl<T> Array<T> {
    /// With values that `make` gives, in order. Driver context, as the drop.
    pub fn new(system: &'static dyn System, length: usize, make: impl Fn() -> T) -> Result<Self> {
        assert!(align_of::<T>() <= 16);
        let bytes = size_of::<T>().checked_mul(length).ok_or(Error::NO_MEMORY)?;
        let start = match bytes {
            0 => NonNull::dangling(),
            _ => system.alloc(bytes).ok_or(Error::NO_MEMORY)?.cast::<T>(),
        };
        for index in 0..length {
            // SAFETY: the memory has room for `length` of them, and is ours.
            unsafe { start.add(index).write(make()) };
        }
        Ok(Array { system, start, length })
    }
}

impl<T> Deref for Array<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        // SAFETY: all of them were written, and the memory is ours.
        unsafe { core::slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }
}

impl<T> DerefMut for Array<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above; whoever has the owner alone has the values alone.
        unsafe { core::slice::from_raw_parts_mut(self.start.as_ptr(), self.length) }
    }
}

impl<T> Drop for Array<T> {
    fn drop(&mut self) {
        let bytes = size_of::<T>() * self.length;
        // SAFETY: the values are there and nobody uses them after; then the memory is free.
        unsafe {
            core::ptr::drop_in_place(&mut **self);
            if bytes != 0 {
                self.system.free(self.start.cast(), bytes);
            }
        }
    }
}

/// Puts a value into memory of its own. Driver context.
pub fn place<T>(system: &'static dyn System, value: T) -> Result<NonNull<T>> {
    assert!(align_of::<T>() <= 16 && size_of::<T>() != 0);
    let memory = system.alloc(size_of::<T>()).ok_or(Error::NO_MEMORY)?.cast::<T>();
    // SAFETY: there is room for it, and it is ours.
    unsafe { memory.write(value) };
    Ok(memory)
}

/// Drops a value and gives its memory back. Driver context.
///
/// # Safety
/// `place` gave it, and nobody uses it after.
pub unsafe fn remove<T: ?Sized>(system: &'static dyn System, value: NonNull<T>) {
    // SAFETY: the caller's promise; the size is that of the allocation.
    unsafe {
        let size = size_of_val(value.as_ref());
        core::ptr::drop_in_place(value.as_ptr());
        system.free(value.cast(), size);
    }
}
