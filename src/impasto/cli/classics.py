"""The names of options in older scripts for style transfer, and their names here."""

from __future__ import annotations

from collections.abc import Collection, Sequence

# Of neural-style and its heirs (in Lua, TensorFlow and PyTorch), fast-style-transfer, PyTorch's
# fast_neural_style, AdaIN and style-transfer-pytorch; "" where nothing is needed any more.
NAMES = {
    "--content": "content_image content_img content_img_name content_path in_path input_image",
    "--style": "style_image style_img style_imgs style_img_name style_path styles",
    "-o": "output_image output_img output_path out_path img_name save_path",
    "--max-size": "image_size img_size imsize content_size end_scale width",
    "--steps": "num_iterations num_iters num_steps iterations max_iterations iter niter",
    "--style-weights": "style_blend_weights style_imgs_weights style_interpolation_weights",
    "--preserve-color luminance": "original_colors preserve_colors keep_colors",
    "--init": "init_image init_img_type init_method init_type initial",
    "--content-masks": "content_mask content_seg",
    "--style-masks": "style_mask style_mask_imgs style_seg",
    "--style-scale": "style_scales style_scale_fac",
    "--style-layers": "style_layers_weights",
    "--backbone": "network vgg_model",
    "--weights": "model_file model_weights vgg vgg_path",
    "--pooling": "pool_type pool",
    "--learning-rate": "lr step_size",
    "--save-every": "save_iter saving_freq checkpoint_iterations checkpoint_output",
    "--tv-weight": "tv tv_loss_weight",
    "--seed": "random_seed",
    "--device": "gpu cuda accel devices",
    "--model": "checkpoint decoder",
    "--strength": "alpha",
    "": "backend print_iter print_iterations cudnn_autotune multidevice_strategy proto_file "
    "normalize_gradients lbfgs_num_correction allow_different_dimensions overwrite",
}
NEW = {old: new for new, names in NAMES.items() for old in names.split()}


def renamed(arguments: Sequence[str], known: Collection[str]) -> str:
    """Say what older scripts' options among the arguments are called here; "" if there are none.

    Args:
        arguments: As they were typed.
        known: The options of this command.
    """
    told = []
    for argument in arguments:
        if argument == "--":
            break
        flag = argument.partition("=")[0]
        new = NEW.get(flag.lstrip("-").replace("-", "_")) if flag.startswith("-") else None
        if flag not in known and new == "":
            told.append(f"{flag} is not needed")
        elif flag not in known and new and new.split()[0] in known:
            told.append(f"{flag} is called {new}")
    return ", ".join(told)
