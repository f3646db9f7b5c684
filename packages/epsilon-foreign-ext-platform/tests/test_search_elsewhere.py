"""The search rules of macOS and Windows, which run anywhere."""

from __future__ import annotations

import pytest
from epsilon.foreign.ext.platform import MacProcess, WindowsProcess, search_order

pytestmark = pytest.mark.once


def paths(name: str, process: MacProcess | WindowsProcess) -> list[str]:
    return [path for _, path in search_order(name, process)]


def test_macos_tries_a_short_name_as_a_library_and_as_a_framework() -> None:
    assert paths("ssl", MacProcess()) == [
        "/usr/local/lib/libssl.dylib",
        "/usr/lib/libssl.dylib",
        "/usr/local/lib/ssl.dylib",
        "/usr/lib/ssl.dylib",
        "/Library/Frameworks/ssl.framework/ssl",
        "/System/Library/Frameworks/ssl.framework/ssl",
    ]


def test_macos_environment_goes_before_a_path_and_its_fallbacks_after() -> None:
    process = MacProcess({"DYLD_LIBRARY_PATH": "/a:/b", "DYLD_FALLBACK_LIBRARY_PATH": "/c"})
    assert search_order("/opt/lib/libx.dylib", process) == [
        ("DYLD_LIBRARY_PATH", "/a/libx.dylib"),
        ("DYLD_LIBRARY_PATH", "/b/libx.dylib"),
        ("path", "/opt/lib/libx.dylib"),
        ("DYLD_FALLBACK_LIBRARY_PATH", "/c/libx.dylib"),
    ]


def test_macos_ignores_the_environment_of_restricted_processes() -> None:
    process = MacProcess({"DYLD_LIBRARY_PATH": "/a"}, restricted=True)
    assert not any(path.startswith("/a") for path in paths("libx.dylib", process))


def test_macos_rpath_is_that_of_the_loading_library_with_its_tokens_replaced() -> None:
    process = MacProcess(
        executable="/App.app/Contents/MacOS/App",
        loader="/App.app/Contents/Plugins/p.bundle",
        rpaths=("@loader_path/../Frameworks", "@executable_path/lib", "/opt/lib"),
    )
    rpaths = [path for rule, path in search_order("@rpath/libx.dylib", process) if rule == "LC_RPATH"]
    assert rpaths == [
        "/App.app/Contents/Plugins/../Frameworks/libx.dylib",
        "/App.app/Contents/MacOS/lib/libx.dylib",
        "/opt/lib/libx.dylib",
    ]
    assert ("path", "/App.app/Contents/Plugins/libx.dylib") in search_order(
        "@loader_path/libx.dylib", process
    )


def test_macos_finds_a_framework_by_its_part_of_the_path() -> None:
    process = MacProcess({"DYLD_FRAMEWORK_PATH": "/fw"})
    assert paths("/Library/Frameworks/Foo.framework/Versions/A/Foo", process) == [
        "/fw/Foo.framework/Versions/A/Foo",
        "/Library/Frameworks/Foo.framework/Versions/A/Foo",
        "/Library/Frameworks/Foo.framework/Versions/A/Foo",
        "/System/Library/Frameworks/Foo.framework/Versions/A/Foo",
    ]


def test_windows_looks_beside_the_program_then_into_added_folders_then_into_the_systems() -> None:
    process = WindowsProcess("C:\\App", ("D:\\dlls",), "C:\\Windows\\System32")
    assert search_order("foo", process) == [
        ("application folder", "C:\\App\\foo.dll"),
        ("added folder", "D:\\dlls\\foo.dll"),
        ("system folder", "C:\\Windows\\System32\\foo.dll"),
    ]


@pytest.mark.parametrize(
    ("name", "tried"),
    [
        ("foo.bar", "C:\\App\\foo.bar"),
        ("foo.", "C:\\App\\foo"),
        ("C:/x/../y/foo", "C:\\y\\foo.dll"),
        (".\\foo.pyd", "foo.pyd"),
    ],
)
def test_windows_adds_a_suffix_to_names_without_a_dot(name: str, tried: str) -> None:
    assert paths(name, WindowsProcess("C:\\App"))[0] == tried


def test_windows_takes_its_own_libraries_from_its_own_folder_and_api_sets_from_nowhere() -> None:
    process = WindowsProcess("C:\\App", system="C:\\Windows\\System32")
    assert search_order("Kernel32", process) == [("KnownDLLs", "C:\\Windows\\System32\\Kernel32.dll")]
    assert search_order("api-ms-win-crt-math-l1-1-0", process) == [
        ("API set", "api-ms-win-crt-math-l1-1-0.dll")
    ]
