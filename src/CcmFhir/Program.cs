using System.CommandLine;
using CcmFhir.Commands;

// One program: the server, the command line, and what the Functions host starts (docs/adr/0001-custom-handler.md).
var clock = TimeProvider.System;
var root = new RootCommand("Chronic Care Management from FHIR to claims.")
{
    ServeCommand.Build(clock),
    ValidateCommand.Build(clock),
    CloseCommand.Build(clock),
    DemoCommand.Build(clock),
    PushCommand.Build(clock),
    PullCommand.Build(clock),
    ClaimsCommand.Build(clock),
    EhrCommand.Build(clock),
    ExportCommand.Build(clock),
    VerifyCommand.Build(clock),
    RebuildCommand.Build(clock),
    ProfilesCommand.Build(),
    AuditCommand.Build(clock),
    ClientsCommand.Build(clock),
    QueueCommand.Build(),
};

// A server that is asked to stop answers what is under way and writes its trail, for which its host gives it 30 seconds; the command line's own two
// would cut that.
return await root.Parse(args)
    .InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(40) });
