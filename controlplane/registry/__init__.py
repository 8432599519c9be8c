"""What has been deployed: functions, versions, aliases, layers and their packages.

* registry      every operation on functions and versions, by Lambda's rules; all fronts call it
* version_registry, alias_registry  the same for versions and aliases
* quota         how much code the account may keep
* ledger        one change at a time: decide, commit, show
* index         all functions in memory: what a reference stands for
* preparation, readiness         makes versions ready behind the answer; what must wait for that
* functions, versions, aliases   the changes, each from one state of a function to the next
* settings      what hangs on a function besides: concurrency, policies, tags, URLs, ...
* layer_registry  every operation on layers
* layer_index   all layers in memory and as stored records
* layers        what may change about a layer; which layers a function may have
* log_book, log_groups           log groups, streams and events; the groups that somebody made
* documents, loading             functions as stored records and back
* artifacts     packages by SHA-256: upload, hold, removal
* packages      a package is unpacked once, without writing, before it is accepted
* zipdirectory, packagetree      what an archive says it holds; which names and links may be
* views, stamps                  what is answered; what a change is marked with
"""

from controlplane.registry.aliases import AliasChange
from controlplane.registry.artifacts import Artifact, ArtifactStore
from controlplane.registry.layer_registry import LayerDescription, LayerRegistry, LayerVersionView
from controlplane.registry.registry import FunctionRegistry
from controlplane.registry.views import (
    AliasView,
    Code,
    FunctionView,
    InlineCode,
    Page,
    UploadedCode,
)

__all__ = [
    "AliasChange",
    "AliasView",
    "Artifact",
    "ArtifactStore",
    "Code",
    "FunctionRegistry",
    "FunctionView",
    "InlineCode",
    "LayerDescription",
    "LayerRegistry",
    "LayerVersionView",
    "Page",
    "UploadedCode",
]
