"""Numbers of PTP (ISO 15740), MTP 1.1 and the Android extension that we use."""

from enum import IntEnum

ROOT = 0xFFFFFFFF  # "objects in the root" as a parent (ISO 15740, GetObjectHandles)
SIZE_UNKNOWN = 0xFFFFFFFF  # an ObjectInfo's 32-bit size above 4 GiB (MTP 1.1, 5.3.1)


class ContainerType(IntEnum):
    """Kinds of container on the bulk pipes (USB still image class 1.0, 7.1)."""

    COMMAND = 1
    DATA = 2
    RESPONSE = 3
    EVENT = 4


class Operation(IntEnum):
    """Operations (ISO 15740, 10; MTP 1.1, D; GetPartialObject64 is Android's)."""

    GET_DEVICE_INFO = 0x1001
    OPEN_SESSION = 0x1002
    CLOSE_SESSION = 0x1003
    GET_STORAGE_IDS = 0x1004
    GET_STORAGE_INFO = 0x1005
    GET_OBJECT_HANDLES = 0x1007
    GET_OBJECT_INFO = 0x1008
    GET_OBJECT = 0x1009
    DELETE_OBJECT = 0x100B
    GET_DEVICE_PROP_DESC = 0x1014
    GET_DEVICE_PROP_VALUE = 0x1015
    SET_DEVICE_PROP_VALUE = 0x1016
    GET_PARTIAL_OBJECT = 0x101B
    GET_PARTIAL_OBJECT_64 = 0x95C1
    GET_OBJECT_PROP_VALUE = 0x9803


class Response(IntEnum):
    """Response codes (ISO 15740, 11)."""

    OK = 0x2001
    GENERAL_ERROR = 0x2002
    SESSION_NOT_OPEN = 0x2003
    INVALID_TRANSACTION = 0x2004
    OPERATION_NOT_SUPPORTED = 0x2005
    PARAMETER_NOT_SUPPORTED = 0x2006
    INCOMPLETE_TRANSFER = 0x2007
    INVALID_STORAGE = 0x2008
    INVALID_HANDLE = 0x2009
    PROPERTY_NOT_SUPPORTED = 0x200A
    STORE_READ_ONLY = 0x200E
    ACCESS_DENIED = 0x200F
    DEVICE_BUSY = 0x2019
    INVALID_PROPERTY_VALUE = 0x201C
    INVALID_PARAMETER = 0x201D
    SESSION_ALREADY_OPEN = 0x201E
    TRANSACTION_CANCELLED = 0x201F


class Event(IntEnum):
    """Events on the interrupt pipe (ISO 15740, 12)."""

    OBJECT_ADDED = 0x4002
    OBJECT_REMOVED = 0x4003
    STORE_ADDED = 0x4004
    STORE_REMOVED = 0x4005
    OBJECT_INFO_CHANGED = 0x4007
    DEVICE_INFO_CHANGED = 0x4008
    STORE_FULL = 0x400A
    DEVICE_RESET = 0x400B
    STORAGE_INFO_CHANGED = 0x400C
    UNREPORTED_STATUS = 0x400E


class DeviceProperty(IntEnum):
    """Device properties (ISO 15740, 13)."""

    BATTERY_LEVEL = 0x5001
    DATE_TIME = 0x5011


class ObjectProperty(IntEnum):
    """Object properties (MTP 1.1, B)."""

    OBJECT_SIZE = 0xDC04


ASSOCIATION = 0x3001  # object format of a folder (ISO 15740, 6)
STRING = 0xFFFF  # data type of a property that is a text (ISO 15740, 5.3)


class ClassRequest(IntEnum):
    """Control requests of the still image class (1.0, 5.2)."""

    CANCEL = 0x64
    RESET = 0x66
    STATUS = 0x67
