//! Variables of a kernel with one processor.

use core::cell::Cell;

/// A variable that is read and written whole.
pub struct Single<T: Copy>(Cell<T>);

// SAFETY: there is one processor, and an event between a read and a write of the same variable is
// what its users guard against: they mask events, or leave the variable to one side.
unsafe impl<T: Copy> Sync for Single<T> {}

impl<T: Copy> Single<T> {
    pub const fn new(value: T) -> Self {
        Self(Cell::new(value))
    }

    pub fn get(&self) -> T {
        // SAFETY: the cell is there for ever; volatile, since an event's handler may write it.
        unsafe { self.0.as_ptr().read_volatile() }
    }

    pub fn set(&self, value: T) {
        // SAFETY: as above.
        unsafe { self.0.as_ptr().write_volatile(value) }
    }
}
