"""Which runtimes there are: how a host has them and how they are started. Data and pure functions.

Imports nothing of ours: what is in this package goes inside sandboxes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TASK_ROOT = "/var/task"
LAYERS_ROOT = "/opt"
BYTECODE_ROOT = "/var/bytecode"
"""What a host has compiled of the code and layers of functions, where it has."""
RUNTIME_DIR = "/var/runtime"
LANGUAGE_ROOT = "/var/lang"

_LIBRARY_PATH = (
    "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"
)
_COMMON_ENVIRONMENT = {
    "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
    "LD_LIBRARY_PATH": _LIBRARY_PATH,
    "LANG": "en_US.UTF-8",
    "TZ": ":UTC",
    "LAMBDA_TASK_ROOT": TASK_ROOT,
    "LAMBDA_RUNTIME_DIR": RUNTIME_DIR,
    "PWD": TASK_ROOT,
    "SHLVL": "0",
}
"""What Lambda sets for every managed runtime (recorded; lambda-behaviour 3.3)."""


SEATS_VARIABLE = "_EMBERD_SEATS"
"""Tells a worker how many events at once its sandbox may have."""

WRAPPER_VARIABLE = "AWS_LAMBDA_EXEC_WRAPPER"
"""Names a program of the function's, usually of a layer, that starts the runtime in its place."""

_START_WRAPPED = """
if [ ! -f "$AWS_LAMBDA_EXEC_WRAPPER" ]; then
    echo "$AWS_LAMBDA_EXEC_WRAPPER: does not exist"
    exit 127
fi
if [ ! -x "$AWS_LAMBDA_EXEC_WRAPPER" ]; then
    echo "$AWS_LAMBDA_EXEC_WRAPPER: is not an executable"
    exit 126
fi
exec "$AWS_LAMBDA_EXEC_WRAPPER" "$@"
"""
"""Checks inside the sandbox, so that what is wrong is in the function's log, as on Lambda."""


_READ_AT_EXEC = (
    "LD_",
    "PYTHON",
    "MALLOC_",
    "GLIBC_",
    "GCONV_",
    "LOCPATH",
    "LANG",
    "LC_",
    "OPENSSL_",
)
"""Beginnings of the names of variables that a process looks at once, when it is executed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """How a runtime is started once, without a function, and then forked for every sandbox."""

    preload: tuple[str, ...]
    """Modules that are imported before the first fork, where there are such; a package's own of the
    same name win."""
    entry: str
    """module:function that runs the function of the process, as the runtime's program does."""
    rehearsal: str
    """module:function that walks the same way without a function: in the template until its code is
    warm, and in a fork that waits for a function."""
    rehearsals: int = 20
    """How often it is walked before the first fork too, until the interpreter has specialised the
    code: what does that itself copies the code's page. 0 where what it makes does not survive a
    birth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """One runtime identifier: Lambda's, or one of our own."""

    runtime_id: str
    """As in CreateFunction, for example python3.13."""
    language: str
    """The folder below runtimes/ that is placed at /var/runtime."""
    executables: tuple[str, ...]
    """Names the interpreter goes by on a host."""
    argv: tuple[str, ...]
    """How it is started inside the sandbox."""
    environment: Mapping[str, str]
    """Variables a function sees unless its own replace them."""
    system_calls: tuple[str, ...] = ()
    """What it needs beyond the calls that every runtime has (sandbox/process/seccomp_tables)."""
    bundle: tuple[str, ...]
    """Distributions that Lambda ships with the runtime, importable without a package."""
    compiler: str = ""
    """A handler of the runtime's own that compiles a package ahead; empty: there is nothing to."""
    compiled_first: bool = False
    """Whether a package is compiled before its first start, which could not do without, and not
    after it."""
    source_suffix: str = ".py"
    """How the names of files end that the compiler compiles."""
    needs_bundle: bool = False
    """Whether a host that lacks a distribution of the bundle does not offer the runtime."""
    shares: tuple[str, ...] = ()
    """Folders below runtimes/ whose programs lie at /var/runtime too, behind its own."""
    grace_s: float = 0.0
    """Above 0 when it interrupts a function itself whose time is up: how long after that its
    sandbox is left to live, in seconds."""
    seats: int = 1
    """Above 1 when one process of it works on so many events at once, each in a world of its own;
    the variable SEATS_VARIABLE tells it how many its sandbox has."""
    template: Template | None = None
    """None: it cannot be forked, so every sandbox executes it."""

    def command(self, environment: Mapping[str, str]) -> tuple[str, ...]:
        """How it is started with these variables: where they name a wrapper, by the wrapper.

        The wrapper gets the runtime's own command as its arguments, and executes it when it is
        done (lambda-behaviour 3.3). Managed runtimes only: `provided` ones start themselves.
        """
        if not environment.get(WRAPPER_VARIABLE):
            return self.argv
        return ("/bin/sh", "-c", _START_WRAPPED, "bootstrap", *self.argv)

    def must_execute(self, environment: Mapping[str, str]) -> bool:
        """Whether these variables would mean nothing to a process that is forked from a template.

        Args:
            environment: What the process is to see, the runtime's own variables included.
        """
        if self.template is None or environment.get(WRAPPER_VARIABLE):
            return True
        names = (name for name in environment if name.startswith(_READ_AT_EXEC))
        return any(environment[name] != self.environment.get(name) for name in names)


_PRELOADED = (
    "abc",
    "array",
    "ast",
    "asyncio",
    "base64",
    "bisect",
    "calendar",
    "collections.abc",
    "concurrent.futures",
    "contextlib",
    "copy",
    "csv",
    "dataclasses",
    "datetime",
    "decimal",
    "email.message",
    "email.parser",
    "enum",
    "functools",
    "gzip",
    "hashlib",
    "heapq",
    "hmac",
    "http.client",
    "inspect",
    "io",
    "itertools",
    "json",
    "locale",
    "logging",
    "operator",
    "os",
    "pathlib",
    "platform",
    "queue",
    "random",
    "re",
    "selectors",
    "shutil",
    "signal",
    "socket",
    "ssl",
    "string",
    "struct",
    "subprocess",
    "tempfile",
    "textwrap",
    "threading",
    "traceback",
    "typing",
    "urllib.parse",
    "urllib.request",
    "uuid",
    "weakref",
    "zlib",
    "zoneinfo",
    "botocore.client",
    "botocore.session",
    "boto3",
)
"""What functions import most, and what takes them longest."""

_PYTHON_TEMPLATE = Template(
    entry="emberd_runtime.loop:main",
    rehearsal="emberd_runtime.rehearsal:rehearse",
    preload=_PRELOADED,
)


def _python(version: str) -> Runtime:
    runtime_id = f"python{version}"
    return Runtime(
        runtime_id=runtime_id,
        language="python",
        executables=(runtime_id,),
        argv=(f"{LANGUAGE_ROOT}/bin/{runtime_id}", f"{RUNTIME_DIR}/bootstrap.py"),
        environment={
            **_COMMON_ENVIRONMENT,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{runtime_id}",
            "LC_CTYPE": "C.UTF-8",
            "PYTHONPATH": RUNTIME_DIR,
        },
        bundle=("boto3", "botocore", "s3transfer", "jmespath", "python-dateutil", "six", "urllib3"),
        compiler="emberd_runtime.compiling.handler",
        template=_PYTHON_TEMPLATE,
    )


_PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")

_WASM = Runtime(
    runtime_id="wasm",
    language="wasm",
    executables=tuple(f"python{version}" for version in _PYTHONS),
    argv=(f"{LANGUAGE_ROOT}/bin/python3", f"{RUNTIME_DIR}/bootstrap.py"),
    environment={
        **_COMMON_ENVIRONMENT,
        "AWS_EXECUTION_ENV": "AWS_Lambda_wasm",
        "LC_CTYPE": "C.UTF-8",
        "PYTHONPATH": RUNTIME_DIR,
    },
    bundle=("wasmtime",),
    needs_bundle=True,
    compiler="emberd_wasm.compiling",
    compiled_first=True,
    source_suffix=".wasm",
    shares=("python",),
    grace_s=0.5,
    seats=32,
    template=Template(
        entry="emberd_wasm.loop:main",
        rehearsal="emberd_wasm.rehearsal:rehearse",
        # An engine sets the handlers that make traps of signals once in a process; a birth clears
        # them, and a fork of it would die of its first trap.
        rehearsals=0,
        preload=(),
    ),
)
"""WebAssembly: wasmtime in a Python of the host, whichever is the newest. Not one of Lambda's."""

RUNTIMES: Mapping[str, Runtime] = {
    each.runtime_id: each for each in (*(_python(version) for version in _PYTHONS), _WASM)
}
"""Every runtime emberd knows, those of a language oldest first."""

_FOLDERS = ("/usr/local/bin", "/usr/bin", "/bin")
_FOLDERS_OF_VERSIONS = (".pyenv/versions", ".local/share/uv/python", ".asdf/installs/python")


def candidate_patterns(
    runtime: Runtime, search_path: str, homes: tuple[Path, ...]
) -> tuple[tuple[Path, str], ...]:
    """Where an interpreter may be: a folder and a pattern below it, in order of preference.

    Args:
        runtime: What is looked for.
        search_path: The host's PATH.
        homes: Home folders whose version managers are looked into.
    """
    folders = [*(part for part in search_path.split(":") if part.startswith("/")), *_FOLDERS]
    patterns = [
        (Path(folder), name) for folder in dict.fromkeys(folders) for name in runtime.executables
    ]
    for name in runtime.executables:
        for home in homes:
            patterns += [(home / folder, f"*/bin/{name}") for folder in _FOLDERS_OF_VERSIONS]
        patterns += [(Path("/opt"), f"*/bin/{name}")]
    return tuple(patterns)
