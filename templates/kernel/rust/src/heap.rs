//! A heap of powers of two: a list of free pieces for each of 16, 32 … 2048 bytes, filled a page at a
//! time. Larger pieces are whole pages. Pieces carry no header, so the caller tells their size.

use crate::{pages, single::Single};

const SMALLEST: usize = 16;
const SIZES: usize = 8;

/// The first free piece of each size; each holds the address of the next.
static FREE: Single<[u64; SIZES]> = Single::new([0; SIZES]);

fn index_of(size: usize) -> usize {
    (size.max(SMALLEST).next_power_of_two() / SMALLEST).trailing_zeros() as usize
}

fn pages_of(size: usize) -> u64 {
    (size as u64).div_ceil(pages::SIZE)
}

/// Zeroed and aligned for its size, or to a page.
pub fn alloc(size: usize) -> Option<*mut u8> {
    let index = index_of(size);
    if index >= SIZES {
        return pages::alloc(pages_of(size)).map(|pages| pages as *mut u8);
    }
    let step = SMALLEST << index;
    let mut first = FREE.get();
    if first[index] == 0 {
        let page = pages::alloc(1)?;
        for piece in (page..page + pages::SIZE).step_by(step) {
            free(piece as *mut u8, step);
        }
        first = FREE.get();
    }
    let piece = first[index] as *mut u8;
    // SAFETY: a free piece is ours, and its first word is the link.
    unsafe {
        first[index] = piece.cast::<u64>().read();
        FREE.set(first);
        piece.write_bytes(0, step);
    }
    Some(piece)
}

/// Gives back a piece of that size.
pub fn free(piece: *mut u8, size: usize) {
    if index_of(size) >= SIZES {
        return pages::free(piece as u64, pages_of(size));
    }
    let mut first = FREE.get();
    // SAFETY: whoever frees a piece uses it no more.
    unsafe { piece.cast::<u64>().write(first[index_of(size)]) };
    first[index_of(size)] = piece as u64;
    FREE.set(first);
}
