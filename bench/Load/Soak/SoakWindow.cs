namespace CcmFhir.Load.Soak;

/// <summary>What a stretch of the soak measured.</summary>
/// <param name="Minutes">From the begin of the soak to the end of the window.</param>
/// <param name="Requests">Requests answered in it.</param>
/// <param name="P50">Median time of one request, milliseconds.</param>
/// <param name="P99">Time that 99 of 100 requests stayed below, milliseconds.</param>
/// <param name="ProcessorMicroseconds">Processor time of the server, by request.</param>
/// <param name="ResidentMegabytes">Memory resident at the end of the window.</param>
/// <param name="Handles">Files, sockets and the like open then.</param>
/// <param name="Threads">Threads then.</param>
/// <param name="JournalMegabytes">Size of the journal's file then.</param>
public sealed record SoakWindow(
    double Minutes,
    int Requests,
    double P50,
    double P99,
    double ProcessorMicroseconds,
    double ResidentMegabytes,
    int Handles,
    int Threads,
    double JournalMegabytes
);
