"""What is wrong with an object, in words: the codes of `vault.verify` in both languages."""

PROBLEMS = {
    "place_away": ("không truy cập được nơi lưu", "its place can't be reached"),
    "object_missing": ("không có trong kho", "not in the vault"),
    "object_unreadable": ("ổ đĩa không đọc được", "the disk can't read it"),
    "object_damaged": ("dữ liệu đã bị thay đổi hoặc bị cắt", "the sealed bytes were changed or cut"),
    "size_mismatch": ("độ dài không khớp bản kê", "its length is not the manifest's"),
    "envelope_damaged": ("phong bì khóa bị hỏng hoặc thiếu", "its key envelope is damaged or missing"),
    "key_missing": ("thiếu khóa để mở", "the key that opens it is missing"),
    "manifest_damaged": ("bản kê bị hỏng hoặc thiếu", "its manifest is damaged or missing"),
}
