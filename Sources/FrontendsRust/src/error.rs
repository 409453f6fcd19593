//! Errors: numbers of the interface, as hypercalls and xenstore give them.

/// An error's number, without its sign.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Error(i32);

/// What may fail.
pub type Result<T> = core::result::Result<T, Error>;

macro_rules! errors {
    ($($name:ident = $number:ident, $text:literal, $meaning:literal;)*) => {
        impl Error {
            $(#[doc = $meaning] pub const $name: Error = Error(xenabi::$number);)*

            /// The number of a name that xenstore writes; one that is not known is `IO`.
            pub fn named(name: &[u8]) -> Error {
                $(if name == $text.as_bytes() { return Error::$name; })*
                Error::IO
            }
        }
    };
}

errors! {
    INVALID = XEN_EINVAL, "EINVAL", "An argument cannot be.";
    ACCESS = XEN_EACCES, "EACCES", "Not allowed.";
    EXISTS = XEN_EEXIST, "EEXIST", "It is there already.";
    IS_FOLDER = XEN_EISDIR, "EISDIR", "A folder stands there.";
    NOT_FOUND = XEN_ENOENT, "ENOENT", "There is no such thing.";
    NO_MEMORY = XEN_ENOMEM, "ENOMEM", "No memory is left.";
    NO_SPACE = XEN_ENOSPC, "ENOSPC", "A table is full.";
    IO = XEN_EIO, "EIO", "The other end failed, or broke the protocol.";
    NOT_EMPTY = XEN_ENOTEMPTY, "ENOTEMPTY", "Something is in it.";
    NOT_BUILT = XEN_ENOSYS, "ENOSYS", "The other end does not know it.";
    READ_ONLY = XEN_EROFS, "EROFS", "It cannot be written.";
    BUSY = XEN_EBUSY, "EBUSY", "In use.";
    AGAIN = XEN_EAGAIN, "EAGAIN", "Not now; try again.";
    CONNECTED = XEN_EISCONN, "EISCONN", "Connected already.";
    TOO_BIG = XEN_E2BIG, "E2BIG", "Longer than there is room for.";
    NOT_PERMITTED = XEN_EPERM, "EPERM", "Not permitted.";
    NO_DEVICE = XEN_ENODEV, "ENODEV", "The device is not there.";
    NOT_SUPPORTED = XEN_EOPNOTSUPP, "EOPNOTSUPP", "The other end does not offer it.";
    NOT_CONNECTED = XEN_ENOTCONN, "ENOTCONN", "There is no connection.";
    TIMED_OUT = XEN_ETIMEDOUT, "ETIMEDOUT", "No answer came in time.";
    FRAME_SIZE = XEN_EMSGSIZE, "EMSGSIZE", "The frame is too long.";
}

impl Error {
    /// The number, which is positive.
    pub const fn number(self) -> i32 {
        self.0
    }

    /// What a hypercall returned: an error if it is negative.
    pub fn check(result: isize) -> Result<()> {
        match i32::try_from(result) {
            Ok(number) if number < 0 => Err(Error(number.saturating_neg())),
            Ok(_) => Ok(()),
            Err(_) => Err(Error::IO),
        }
    }
}
