"""What stands between an accelerator and its host: UART, frames, frame buffers, board top."""

__all__ = []
