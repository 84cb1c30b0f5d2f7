"""Inbound gRPC: translate, call a use case, translate back."""

from dataexchange.grpc_api.exports import ExportServicer
from dataexchange.grpc_api.imports import IMPORT_RIGHTS, ImportServicer
from dataexchange.grpc_api.partners import PARTNER_RIGHTS, PartnerServicer
from dataexchange.grpc_api.transfers import RIGHTS as TRANSFER_RIGHTS
from dataexchange.grpc_api.transfers import TransferServicer

RIGHTS = TRANSFER_RIGHTS | IMPORT_RIGHTS | PARTNER_RIGHTS

__all__ = ["RIGHTS", "ExportServicer", "ImportServicer", "PartnerServicer", "TransferServicer"]
