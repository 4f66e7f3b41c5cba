"""Images whose predictions are kept up to date while single sub-pixels change."""

from typing import TypeAlias

import torch
from einops import rearrange
from torch import Tensor

from pixelcnn.inference.mcmc.blocks import Blocks, SiteBlock
from pixelcnn.inference.query import evaluating
from pixelcnn.models import AutoregressiveModel, Cond

Images: TypeAlias = slice | Tensor
"""Some of the images: a run of them, or their numbers, int64."""


class LocalEvaluator:
    """Evaluates a change of an image where the change is felt, and nowhere else.

    Args:
        model: Any architecture.
        x: The images; a copy of them is kept. (N, C, H, W).
        cond: As the model takes it; one for all images or one for each.
        batch_size: Images evaluated at once.

    Attributes:
        x: The images as they are now. (N, C, H, W), int64, on the model's device.
        blocks: Divides their sub-pixels.

    Raises:
        ShapeError: If images or condition do not fit the model.
    """

    def __init__(
        self, model: AutoregressiveModel, x: Tensor, *, cond: Cond = None, batch_size: int = 256
    ) -> None:
        self.model = model
        self.x = x.to(model.device, copy=True)
        self.cond = model.prepare_cond(cond, len(x))
        model.check(self.x, self.cond)
        self.x = self.x.long()
        self.batch_size = batch_size
        self.blocks = Blocks(model.receptive_field(), *x.shape[1:], device=model.device)
        whole = slice(0, x.shape[2]), slice(0, x.shape[3])
        self._params = self._predict(self.x, slice(None), whole)

    @torch.no_grad()
    def log_prob(self) -> Tensor:
        """Log-probability of each image now. Nats. (N,)."""
        sizes = self._params.split(self.batch_size), self.x.split(self.batch_size)
        nats = [self.model.likelihood.log_prob(*pair) for pair in zip(*sizes, strict=True)]
        return torch.cat([part.flatten(1).sum(1) for part in nats])

    def prefix_logits(self, block: SiteBlock, images: Images) -> Tensor:
        """Logits of the levels of a block given the earlier sub-pixels alone. (N × S, K)."""
        params = self._params[images][:, :, block.rows, block.columns]
        earlier = self.x[images][:, : block.channel, block.rows, block.columns]
        return self.model.likelihood.level_logits(
            rearrange(params, "n p s -> (n s) p"),
            rearrange(earlier, "n c s -> (n s) c"),
            block.channel,
        )

    @torch.no_grad()
    def consider(self, block: SiteBlock, images: Images, levels: Tensor) -> tuple[Tensor, Tensor]:
        """Evaluates other levels of a block.

        Args:
            block: The sub-pixels.
            images: In which images.
            levels: The present ones first, whose evaluation is kept. (J, N, S).

        Returns:
            For each sub-pixel of the block the sum of the factors that it is in, in nats
            (J, N, S); and the parameters of the window, for `take`. (J, N, P, h, w).
        """
        count, window = len(levels), block.crop(self.x[images])
        others = window.expand(count - 1, *window.shape).clone()
        block.put(others, levels[1:])
        others = rearrange(others, "j n c h w -> (j n) c h w")
        fresh = self._predict(others, images, block.window)
        params = torch.cat([block.crop(self._params[images]), fresh])
        factors = self.model.likelihood.log_prob(params, torch.cat([window, others]))
        factors = rearrange(factors, "(j n) c h w -> j n c h w", j=count)
        return block.sums(factors), rearrange(params, "(j n) p h w -> j n p h w", j=count)

    def take(
        self, block: SiteBlock, images: Images, levels: Tensor, params: Tensor, choice: Tensor
    ) -> None:
        """Puts some of the levels that were considered into the images.

        Args:
            block: The sub-pixels.
            images: In which images.
            levels: As they were considered. (J, N, S).
            params: What `consider` returned. (J, N, P, h, w).
            choice: Which of the levels. (N, S), int64.
        """
        taken = levels.gather(0, choice[None])[0]
        # Images by number are copies: with them all that changes is put back.
        x, kept = self.x[images], self._params[images]
        block.put(block.crop(x), taken)
        # What is predicted of a pixel follows the one sub-pixel of the block that it sees.
        none_seen = torch.zeros_like(choice[:, :1])
        followed = torch.cat([choice, none_seen], 1)[:, block.owners.amin(0)]
        followed = followed[None, :, None].expand(1, *params.shape[1:])
        block.crop(kept).copy_(params.gather(0, followed)[0])
        if isinstance(images, Tensor):
            self.x[images], self._params[images] = x, kept

    @torch.no_grad()
    def _predict(self, x: Tensor, images: Images, window: tuple[slice, slice]) -> Tensor:
        """Parameters of windows, one or several of each image. (J × N, P, h, w)."""
        cond = None if self.cond is None else self.cond[images]
        if cond is not None:
            if self.model.condition.num_map_channels is not None:
                cond = cond[..., window[0], window[1]]
            cond = cond.repeat(len(x) // len(cond), *[1] * (cond.ndim - 1))
        parts = [slice(i, i + self.batch_size) for i in range(0, len(x), self.batch_size)]
        with evaluating(self.model):
            found = [self.model(x[part], None if cond is None else cond[part]) for part in parts]
        # Joined out here, they are tensors that may be changed in place.
        return torch.cat(found)
