"""PyTorch's older and marker names: which file of lamina.compat answers for each, loaded when a program asks."""

from __future__ import annotations

# lamina.<path> is the module lamina.compat.<file>
MODULES = {
    "__config__": "config",
    "_utils": "flat_tensors",
    "accelerator": "accelerator",
    "autograd.profiler": "profiler",
    "compiler": "compiler",
    "cuda.nvtx": "nvtx",
    "distributed": "distributed",
    "distributed.nn": "distributed_parts",
    "distributed.optim": "distributed_parts",
    "functional": "functional",
    "futures": "futures",
    "fx": "fx",
    "hub": "hub",
    "mps": "mps",
    "multiprocessing": "multiprocessing",
    "fft": "fft",
    "nn.parallel.scatter_gather": "scatter_gather",
    "ops": "ops",
    "overrides": "overrides",
    "profiler": "profiler",
    "quasirandom": "quasirandom",
    "torch_version": "torch_version",
    "types": "types",
    "utils._foreach_utils": "foreach_utils",
    "utils._python_dispatch": "dispatch",
    "utils.hooks": "hooks",
    "utils.model_zoo": "model_zoo",
    "version": "version",
    "xpu": "xpu",
}

# lamina.<home>: file of lamina.compat -> the names it defines for that module
NAMES: dict[str, dict[str, str]] = {
    "": {
        "constructors": "_shape_as_tensor scalar_tensor",
        "futures": "Future",
        "checks": "_assert _assert_async _check _check_index _check_type _check_value _check_is_size "
        "is_deterministic_algorithms_warn_only_enabled",
        "foreach": "_foreach_abs _foreach_abs_ _foreach_add _foreach_add_ _foreach_addcdiv _foreach_addcdiv_ "
        "_foreach_addcmul _foreach_addcmul_ _foreach_clamp_max _foreach_clamp_max_ _foreach_clamp_min "
        "_foreach_clamp_min_ _foreach_copy_ _foreach_div _foreach_div_ _foreach_exp _foreach_exp_ _foreach_lerp "
        "_foreach_lerp_ _foreach_max _foreach_maximum _foreach_maximum_ _foreach_minimum _foreach_minimum_ _foreach_mul "
        "_foreach_mul_ _foreach_neg _foreach_neg_ _foreach_norm _foreach_pow _foreach_pow_ _foreach_reciprocal "
        "_foreach_reciprocal_ _foreach_rsqrt _foreach_rsqrt_ _foreach_sigmoid _foreach_sigmoid_ _foreach_sign "
        "_foreach_sign_ _foreach_sqrt _foreach_sqrt_ _foreach_sub _foreach_sub_ _foreach_zero_",
    },
    "amp": {"amp_functions": "custom_bwd custom_fwd is_autocast_available"},
    "cuda": {
        "cuda_names": "CUDAGraph Event Stream _initialized _is_in_bad_fork _lazy_call _lazy_init can_device_access_peer "
        "current_device current_stream default_stream device device_of get_arch_list get_device_capability "
        "get_device_name get_device_properties get_rng_state get_rng_state_all graph init is_bf16_supported "
        "is_current_stream_capturing mem_get_info seed seed_all initial_seed set_device set_rng_state set_rng_state_all "
        "set_stream stream utilization",
    },
    "nn.init": {
        "init_functions": "_calculate_correct_fan _calculate_fan_in_and_fan_out _no_grad_fill_ _no_grad_normal_ "
        "_no_grad_trunc_normal_ _no_grad_uniform_ _no_grad_zero_"
    },
    "nn.functional": {
        "functional_names": "adaptive_max_pool1d_with_indices adaptive_max_pool2d_with_indices "
        "adaptive_max_pool3d_with_indices max_pool1d_with_indices max_pool2d_with_indices max_pool3d_with_indices"
    },
    "nn.modules": {
        "module_names": "_IncompatibleKeys _addindent register_module_backward_hook "
        "register_module_buffer_registration_hook register_module_forward_hook register_module_forward_pre_hook "
        "register_module_full_backward_hook register_module_full_backward_pre_hook "
        "register_module_module_registration_hook register_module_parameter_registration_hook"
    },
    "nn.parameter": {"parameter_names": "UninitializedParameter is_lazy"},
    "optim.optimizer": {
        "optimizer_names": "ParamsT _params_t params_t _dispatch_sqrt _get_value _stack_if_compiling "
        "_use_grad_for_differentiable _view_as_real required"
    },
    "serialization": {
        "serialization_names": "DEFAULT_PROTOCOL FILE_LIKE MAP_LOCATION add_safe_globals clear_safe_globals "
        "get_safe_globals safe_globals"
    },
    "utils._pytree": {
        "pytree": "LeafSpec PyTree SUPPORTED_NODES TreeSpec register_pytree_node _register_pytree_node tree_all "
        "tree_any tree_flatten tree_iter tree_leaves tree_map_ tree_map_only tree_structure tree_unflatten"
    },
    "utils.checkpoint": {
        "checkpoint_names": "check_backward_validity detach_variable get_device_states set_device_states"
    },
}


def home_of(module: str, name: str) -> str:
    """The file of lamina.compat that has `name` of the module `lamina.<module>`, or nothing."""
    for file, names in NAMES.get(module, {}).items():
        if name in names.split():
            return file
    return ""
